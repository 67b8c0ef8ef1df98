"""A report as one page of HTML that needs nothing else: no file, no script, no network."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template

from fercli.core.files import write_text
from fercli.models.average import trainings
from fercli.models.loaded import Model
from fercli.workflows.predict.gallery import Shown
from fercli.workflows.predict.markup import counted, escaped, isolated, lines, percent, plural
from fercli.workflows.predict.report import Report
from fercli.workflows.provenance import command_line, versions

_TEMPLATE = Path(__file__).with_name("report.html")


def made_by(model: Model, found: str) -> dict[str, str]:
    """How a page comes about that is made now, by the command that runs: what to what. `found` says how faces were."""
    trained = {str(one.get("data") or "an unknown set") for one in trainings(model.header)}
    return {
        "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        "command": command_line(),
        "program": ", ".join(f"{name} {versions()[name]}" for name in ("fercli", "torch", "facenet-pytorch")),
        "model": f"{model.name}, trained on {' and '.join(sorted(trained))}",
        "weights": "/".join(model.path.parts[-2:]),
        "confidence": "as trained, not calibrated" if model.raw else f"calibrated: temperature {model.temperature:.3f}",
        "views": "the average of each face and its mirror image" if model.mirrored else "each face as it is",
        "faces": found,
        "device": str(model.device),
    }


def write_report(path: Path, report: Report, made: Mapping[str, str]) -> None:
    """Write the page whole. `made` says how it came about, its date among it. Raises RunError where that fails."""
    title = f"Expressions in {counted(report.faces, 'face')}"
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    page = template.substitute(
        title=title,
        subtitle=f"{escaped(made['date'])} · {counted(report.pictures, _things(report))}",
        counts=_counts(report),
        shares=_shares(report),
        confidence=_confidence(report),
        faces="\n".join([_introduction(report), *(_gallery(label, report) for label in report.choices_in_order)]),
        failures=_failures(report),
        made="\n".join(f"<dt>{escaped(what)}</dt><dd>{isolated(how)}</dd>" for what, how in made.items()),
    )
    write_text(path, page)


def _counts(report: Report) -> str:
    failed = report.status["failed"]
    rows = [
        (plural(_things(report)), report.pictures, ""),
        ("faces", report.faces, ""),
        ("without a face", report.status["no face"], ""),
        ("failed", failed, ' class="bad"' if failed else ""),
    ]
    return "\n".join(f"<div{mark}><dt>{what}</dt><dd>{number:,}</dd></div>" for what, number, mark in rows)


def _things(report: Report) -> str:
    return "picture and frame" if report.frames else "picture"


def _shares(report: Report) -> str:
    """A row a label: faces, share, mean confidence, and the share as a bar."""
    most = max([*report.labels.values(), 1])
    rows = []
    for label in report.groups:
        faces = report.labels[label]
        mean = percent(report.confidence[label] / faces) if faces else "–"
        kind = "bar" if label in report.classes else "bar other"
        bar = f'<div class="{kind}" style="width:{100 * faces / most:.1f}%"></div>' if faces else ""
        share = percent(faces / max(1, report.faces), 1)
        cells = "".join(f'<td class="number">{text}</td>' for text in (f"{faces:,}", share, mean))
        rows.append(f'<tr><th scope="row">{isolated(label)}</th>{cells}<td>{bar}</td></tr>')
    heads = "".join(f'<th scope="col" class="number">{head}</th>' for head in ("faces", "share", "mean confidence"))
    head = f'<tr><th scope="col">expression</th>{heads}<th scope="col" aria-hidden="true"></th></tr>'
    return f'<table class="share"><thead>{head}</thead>\n<tbody>\n{lines(rows)}</tbody></table>'


def _confidence(report: Report) -> str:
    """Faces by confidence in ten steps, and the middle half in words."""
    if not report.faces:
        return "<p>No face was found.</p>"
    tens = [sum(report.steps[start : start + 10]) for start in range(0, 100, 10)]
    low, middle, high = (_quantile(report.steps, share) for share in (0.25, 0.5, 0.75))
    bars = [
        f"<li><span>{f'{count:,}' if count else ''}</span>"
        f'<div class="bar" style="height:{75 * count / max(tens):.1f}%"></div>'
        f'<span class="from">{10 * ten}<span class="faint"> %</span></span></li>'
        for ten, count in enumerate(tens)
    ]
    return (
        f"<p>Half of the faces have a confidence of {middle} % or more; the middle half lies between {low} and "
        f"{high} %. Below: faces by confidence, in tenths.</p>\n"
        f'<ul class="steps" aria-label="faces in each tenth of confidence">\n{lines(bars)}</ul>'
    )


def _quantile(steps: Sequence[int], share: float) -> int:
    """The hundredth of confidence below which that share of the faces lies."""
    wanted, seen = share * sum(steps), 0
    for step, count in enumerate(steps):
        seen += count
        if seen >= wanted:
            return step
    return len(steps)


def _introduction(report: Report) -> str:
    links = "".join(
        f'<li><a href="#{_anchor(label, report)}">{isolated(label)}</a> {report.labels[label]:,}</li>'
        for label in report.choices_in_order
    )
    room = report.room
    recalled = counted(report.recalled, "face")
    earlier = f"<p>{recalled} of earlier starts of this job: counted, not shown.</p>\n" if report.recalled else ""
    return (
        f"{earlier}"
        f"<p>Of an expression with more than {3 * room} faces, {room} each are shown: the surest, the least sure, "
        f"and a draw at random, which says more of what is usual than the other two. Others are shown whole.</p>\n"
        f'<nav aria-label="expressions"><ul>{links}</ul></nav>'
    )


def _gallery(label: str, report: Report) -> str:
    choice = report.choices[label]
    everything = choice.all()
    kinds = (
        [("all, the surest first", everything)]
        if everything is not None
        else [("most sure", choice.surest()), ("at random", choice.at_random()), ("least sure", choice.least_sure())]
    )
    parts = [
        f'<h4>{kind}</h4>\n<ul class="faces">\n{lines(_face(one, label) for one in faces)}</ul>'
        for kind, faces in kinds
    ]
    heading = f'<h3 id="{_anchor(label, report)}">{isolated(label)}: {counted(choice.faces, "face")}</h3>'
    return "\n".join([heading, *parts])


def _face(face: Shown, label: str) -> str:
    name = re.split(r"[/\\]", face.source)[-1]
    moment = "" if face.time is None else f" at {face.time:.1f} s"
    where = f"face {face.number} of {face.source}{moment}"
    picture = base64.b64encode(face.thumbnail).decode("ascii")
    sure = percent(face.confidence)
    return (
        f'<li><figure><img width="96" height="96" alt="{escaped(label)}, {sure}: {escaped(where)}" '
        f'src="data:image/jpeg;base64,{picture}"><figcaption title="{escaped(where)}">{sure}'
        f"<bdi>{face.number} · {escaped(name + moment)}</bdi></figcaption></figure></li>"
    )


def _failures(report: Report) -> str:
    parts = []
    failed, faceless = report.status["failed"], report.status["no face"]
    if failed:
        rows = [f"<tr><td>{isolated(name)}</td><td>{isolated(reason)}</td></tr>" for name, reason in report.failures]
        head = '<tr><th scope="col">picture</th><th scope="col">why</th></tr>'
        parts.append(f'<table class="names"><thead>{head}</thead>\n<tbody>\n{lines(rows)}</tbody></table>')
        parts.append(_rest(failed - len(report.failures)))
    if report.faceless:
        rows = [f"<li>{isolated(name)}</li>" for name in report.faceless]
        summary = f"<summary>{counted(faceless, _things(report))} without a face</summary>"
        rest = _rest(faceless - len(report.faceless))
        parts.append(f'<details class="names">{summary}\n<ul>\n{lines(rows)}</ul>{rest}</details>')
    return "\n".join(filter(None, parts)) or "<p>None.</p>"


def _rest(number: int) -> str:
    return f"<p>… and {number:,} more.</p>" if number > 0 else ""


def _anchor(label: str, report: Report) -> str:
    return f"group-{report.groups.index(label)}"

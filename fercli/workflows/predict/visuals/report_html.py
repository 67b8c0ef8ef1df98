"""A report as one page of HTML that needs nothing else: no file, no script, no network."""

import base64
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template

from fercli.core.files import write_text
from fercli.core.palette import colours
from fercli.models.locate import TrainedModel
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.visuals.markup import count_things, escape, format_percent, isolate, join_lines, plural
from fercli.workflows.predict.visuals.people_html import render_people
from fercli.workflows.predict.visuals.report import Report, ShownFace
from fercli.workflows.run_folder import command_line, versions

_TEMPLATE = Path(__file__).with_name("report.html")


def describe_job(model: TrainedModel, options: PredictOptions) -> dict[str, str]:
    """How the page that is made now comes about, by the command that runs: pairs of what and how."""
    trained = {str(training.get("data") or "an unknown set") for training in model.header.trainings}
    return {
        "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        "command": command_line(),
        "program": _describe_program(),
        "model": f"{model.name}, trained on {' and '.join(sorted(trained))}",
        "weights": "/".join(model.path.parts[-2:]),
        "confidence": "as trained, not calibrated" if model.raw else f"calibrated: temperature {model.temperature:.3f}",
        "views": "the average of each face and its mirror image" if model.mirrored else "each face as it is",
        "faces": _describe_search(options),
        "device": str(model.device),
    }


def _describe_program() -> str:
    """The program and the libraries that run the networks, of which PyTorch may be absent."""
    libraries = [name for name in ("onnxruntime", "torch") if name in sys.modules]
    return ", ".join(f"{name} {versions()[name]}" for name in ("fercli", *libraries))


def _describe_search(options: PredictOptions) -> str:
    if options.faces_are_cropped:
        return "each picture is one"
    larger = f", larger in proportion in pictures of more than {options.max_side}" if options.max_side else ""
    return f"found with MTCNN from {options.min_face:g} pixels on{larger}; threshold {options.threshold:g}"


def write_report(path: Path, report: Report, made: Mapping[str, str]) -> None:
    """Write the page whole. `made` says how it came about, its date included. Raises RunError where that fails."""
    title = f"Expressions in {count_things(report.faces, 'face')}"
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    page = template.substitute(
        title=title,
        subtitle=f"{escape(made['date'])} · {count_things(report.pictures, _unit(report))}",
        counts=_render_counts(report),
        fractions=_render_fractions(report),
        confidence=_render_confidence(report),
        people=_render_people(report),
        faces=_render_gallery(report),
        failures=_render_failures(report),
        made="\n".join(f"<dt>{escape(what)}</dt><dd>{isolate(how)}</dd>" for what, how in made.items()),
    )
    write_text(path, page)


def _render_counts(report: Report) -> str:
    failed = report.status["failed"]
    rows = [
        (plural(_unit(report)), report.pictures, ""),
        ("faces", report.faces, ""),
        ("without a face", report.status["no face"], ""),
        ("failed", failed, ' class="bad"' if failed else ""),
    ]
    if report.films:
        people = sum(len(film.people) + film.more for film in report.films)
        rows.insert(2, ("people in videos", people, ""))
    return "\n".join(f"<div{mark}><dt>{what}</dt><dd>{number:,}</dd></div>" for what, number, mark in rows)


def _render_people(report: Report) -> str:
    """The section of people; nothing where there is no video."""
    return (
        _render_section("people", "People in videos", render_people(report.films, _palette(report)))
        if report.films
        else ""
    )


def _render_gallery(report: Report) -> str:
    """The section of faces; nothing where all of them are people's."""
    if report.films and not report.samples:
        return ""
    galleries = [_render_faces(label, report) for label in report.shown_groups]
    heading = "Faces in pictures" if report.films else "Faces"
    return _render_section("faces", heading, "\n".join([_render_introduction(report), *galleries]))


def _render_section(name: str, heading: str, content: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{heading}</h2>\n{content}\n</section>'


def _palette(report: Report) -> dict[str, str]:
    return dict(zip(report.groups, colours(report.groups), strict=True))


def _unit(report: Report) -> str:
    return "picture and frame" if report.frames else "picture"


def _render_fractions(report: Report) -> str:
    """A row for each label: faces, their fraction, mean confidence, and the fraction as a bar. A whole bar is 100 %."""
    palette, rows = _palette(report), []
    for label in report.groups:
        faces = report.labels[label]
        mean = format_percent(report.confidence[label] / faces) if faces else "–"
        style = f"width:{100 * faces / max(1, report.faces):.1f}%;background:{palette[label]}"
        kind = "bar" if label in report.classes else "bar other"
        bar = f'<div class="{kind}" style="{style}"></div>' if faces else ""
        fraction = format_percent(faces / max(1, report.faces), 1)
        cells = "".join(f'<td class="number">{text}</td>' for text in (f"{faces:,}", fraction, mean))
        rows.append(f'<tr><th scope="row">{isolate(label)}</th>{cells}<td>{bar}</td></tr>')
    heads = "".join(f'<th scope="col" class="number">{head}</th>' for head in ("faces", "share", "mean confidence"))
    head = f'<tr><th scope="col">expression</th>{heads}<th scope="col" aria-hidden="true"></th></tr>'
    return f'<table class="share"><thead>{head}</thead>\n<tbody>\n{join_lines(rows)}</tbody></table>'


def _render_confidence(report: Report) -> str:
    """Faces by confidence in ten steps, and the middle half in words."""
    if not report.faces:
        return "<p>No face was found.</p>"
    tens = [sum(report.histogram[start : start + 10]) for start in range(0, 100, 10)]
    low, middle, high = (_quantile(report.histogram, fraction) for fraction in (0.25, 0.5, 0.75))
    bars = [
        f"<li><span>{f'{count:,}' if count else ''}</span>"
        f'<div class="bar" style="height:{75 * count / max(tens):.1f}%"></div>'
        f'<span class="from">{10 * ten}<span class="faint"> %</span></span></li>'
        for ten, count in enumerate(tens)
    ]
    return (
        f"<p>Half of the faces have a confidence of {middle} % or more; the middle half lies between {low} and "
        f"{high} %. Below: faces by confidence, in tenths.</p>\n"
        f'<ul class="steps" aria-label="faces in each tenth of confidence">\n{join_lines(bars)}</ul>'
    )


def _quantile(histogram: Sequence[int], fraction: float) -> int:
    """The hundredth of confidence below which that fraction of the faces lies."""
    wanted, seen = fraction * sum(histogram), 0
    for hundredth, count in enumerate(histogram):
        seen += count
        if seen >= wanted:
            return hundredth
    return len(histogram)


def _render_introduction(report: Report) -> str:
    links = "".join(
        f'<li><a href="#{_anchor(label, report)}">{isolate(label)}</a> {report.samples[label].faces:,}</li>'
        for label in report.shown_groups
    )
    size = report.sample_size
    counted = count_things(report.earlier_faces, "face")
    earlier = f"<p>{counted} of earlier starts of this job: counted, not shown.</p>\n" if report.earlier_faces else ""
    return (
        f"{earlier}"
        f"<p>All faces of an expression are shown, up to {3 * size} of them. Where there are more, you see the {size} "
        f"most confident, {size} at random and the {size} least confident. The random ones are the most typical.</p>\n"
        f'<nav aria-label="expressions"><ul>{links}</ul></nav>'
    )


def _render_faces(label: str, report: Report) -> str:
    sample = report.samples[label]
    everything = sample.all()
    kinds = (
        [("all, the most confident first", everything)]
        if everything is not None
        else [("most confident", sample.highest()), ("at random", sample.draw()), ("least confident", sample.lowest())]
    )
    blocks = [
        f'<h4>{kind}</h4>\n<ul class="faces">\n{join_lines(_render_face(face, label) for face in faces)}</ul>'
        for kind, faces in kinds
    ]
    heading = f'<h3 id="{_anchor(label, report)}">{isolate(label)}: {count_things(sample.faces, "face")}</h3>'
    return "\n".join([heading, *blocks])


def _render_face(face: ShownFace, label: str) -> str:
    name = re.split(r"[/\\]", face.source)[-1]
    moment = "" if face.time is None else f" at {face.time:.1f} s"
    where = f"face {face.number} of {face.source}{moment}"
    picture = base64.b64encode(face.thumbnail).decode("ascii")
    confidence = format_percent(face.confidence)
    return (
        f'<li><figure><img width="96" height="96" alt="{escape(label)}, {confidence}: {escape(where)}" '
        f'src="data:image/jpeg;base64,{picture}"><figcaption title="{escape(where)}">{confidence}'
        f"<bdi>{face.number} · {escape(name + moment)}</bdi></figcaption></figure></li>"
    )


def _render_failures(report: Report) -> str:
    blocks = []
    failed, no_face = report.status["failed"], report.status["no face"]
    if failed:
        rows = [f"<tr><td>{isolate(name)}</td><td>{isolate(reason)}</td></tr>" for name, reason in report.failures]
        head = '<tr><th scope="col">picture</th><th scope="col">why</th></tr>'
        blocks.append(f'<table class="names"><thead>{head}</thead>\n<tbody>\n{join_lines(rows)}</tbody></table>')
        blocks.append(_render_rest(failed - len(report.failures)))
    if report.no_face:
        rows = [f"<li>{isolate(name)}</li>" for name in report.no_face]
        summary = f"<summary>{count_things(no_face, _unit(report))} without a face</summary>"
        rest = _render_rest(no_face - len(report.no_face))
        blocks.append(f'<details class="names">{summary}\n<ul>\n{join_lines(rows)}</ul>{rest}</details>')
    return "\n".join(filter(None, blocks)) or "<p>None.</p>"


def _render_rest(number: int) -> str:
    return f"<p>… and {number:,} more.</p>" if number > 0 else ""


def _anchor(label: str, report: Report) -> str:
    return f"group-{report.groups.index(label)}"

"""A study as one page of HTML that needs nothing else: no file, no script, no network."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

import yaml

from fercli.core.files import write_text
from fercli.core.text import format_count
from fercli.workflows.run_folder import command_line, versions
from fercli.workflows.search.result import SHOWN, SearchResult
from fercli.workflows.search.tables import describe_counts, describe_verdict, list_best, list_confirmed

_TEMPLATE = Path(__file__).with_name("search.html")


def write_page(path: Path, result: SearchResult, plots: Mapping[str, Path], failures: Mapping[int, str]) -> None:
    """Write the page whole. Raises RunError where that fails."""
    run = result.config.run
    sections = []
    if result.ranking is not None:
        table = _table(*list_confirmed(result.ranking, result.config))
        sections.append((f"The best trials, trained anew on {format_count(result.config.seeds, 'seed')}", table))
    shown = format_count(min(SHOWN, len(result.rows)), "trial").removeprefix("1 ")
    sections.append((f"The best {shown}", _table(*list_best(result))))
    sections += [(caption, _picture(file, caption)) for caption, file in plots.items()]
    recipe = result.best.recipe.model_dump(mode="json", exclude_defaults=True)
    best = yaml.safe_dump({"arguments": result.best.arguments, "recipe": recipe}, sort_keys=False)
    sections.append(("The settings in best.yaml", f"<pre>{html.escape(best)}</pre>"))
    anew = result.ranking.failed if result.ranking else {}
    if failures or anew:
        rows = [[str(number), reason] for number, reason in [*failures.items(), *anew.items()]]
        sections.append(("Trials that failed", _table(["trial", "reason"], rows)))
    sections.append(("How this page was made", _render_facts(_list_facts(result))))
    good = result.ranking is not None and result.ranking.beats_default
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(f"A search for {run.model} on {Path(run.data).name}"),
        subtitle=html.escape(describe_counts(result)),
        verdict_class="verdict good" if good else "verdict",
        verdict=html.escape(describe_verdict(result)),
        sections="\n".join(f"<section><h2>{html.escape(head)}</h2>\n{body}\n</section>" for head, body in sections),
    )
    write_text(path, page)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _picture(file: Path, caption: str) -> str:
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return f'<figure><img src="data:image/png;base64,{data}" alt="{html.escape(caption)}"></figure>'


def _list_facts(result: SearchResult) -> dict[str, str]:
    config = result.config
    pruner = "" if config.pruner == "none" else f", given up early by {config.pruner}"
    validated = f"{config.folds} folds of the training split" if config.folds else "the validation split"
    limits = ", ".join(f"{name} {most:,g}" for name, most in config.limits.items()) or "none"
    return {
        "command": command_line(),
        "program": ", ".join(f"{name} {versions()[name]}" for name in ("fercli", "torch")),
        "objective": f"{' and '.join(config.objectives)} on {validated}; the test split was not touched",
        "drawn by": f"{config.sampler}, seed {config.run.seed}{pruner}",
        "limits": limits,
        "each trial": f"{format_count(config.run.recipe.epochs, 'epoch')}, recipe {config.run.recipe_name}",
    }


def _render_facts(facts: Mapping[str, str]) -> str:
    rows = (f"<dt>{html.escape(what)}</dt><dd>{html.escape(how)}</dd>" for what, how in facts.items())
    return f"<dl>{''.join(rows)}</dl>"

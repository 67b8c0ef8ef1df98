"""fer models: the catalogue as a list, or one entry of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import console, options
from fercli.core.text import format_count

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.core.catalogue import Catalogue, Claim, DetectorEntry, ModelEntry, Result

#: Columns from which the list has room for what each network costs.
_WIDE = 76


def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this network in full.")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List the networks, or show one in full.

    Parameters, recipes, the paper's claim, what was measured here and by what command.
    """
    from fercli.models.catalogue_file import read_catalogue

    catalogue = read_catalogue()
    detector = catalogue.detector
    if detector and name == detector.name:
        if as_json:
            console.print_json({name: detector.model_dump(mode="json")})
        else:
            _show_detector(detector)
    elif as_json:
        chosen = {name: catalogue[name]} if name else catalogue.models
        console.print_json({key: _as_json(entry) for key, entry in chosen.items()})
    elif name:
        _show(name, catalogue[name])
    else:
        screen = console.out()
        screen.print(_list(catalogue, screen.width))
        console.note(
            f"* weights ship; {catalogue.shipped} is used and {catalogue.default} is trained where none is named"
        )
        console.note("fer models NAME shows one in full; fer train --model NAME trains it")
        if detector:
            console.note(f"fer models {detector.name} shows the network that finds the faces, and its licence")


def _as_json(entry: "ModelEntry") -> dict[str, object]:
    """The entry with what follows from it: its size, and what must be said beside each result."""
    results = [{**result.model_dump(mode="json"), "remark": entry.remark(result)} for result in entry.results]
    return {**entry.model_dump(mode="json"), "size_bytes": entry.size, "results": results}


def _list(catalogue: "Catalogue", width: int) -> "Table":
    """A row a network; a screen of few columns does without the costs, which `fer models NAME` has too."""
    from rich.table import Table

    costs = width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True)
    for heading in ("parameters", *(("multiply-\nadds", "float32\nweights") if costs else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("paper claims", "measured here"):
        table.add_column(heading, overflow="fold")
    for name, entry in catalogue.models.items():
        table.add_row(
            name + (" *" if entry.weights else ""),
            f"{entry.parameters.total:,}",
            *((f"{entry.multiply_adds / 1e6:.1f} M", _bytes(entry.size)) if costs else ()),
            "\n".join(_claimed(claim) for claim in entry.claims),
            "".join(_measured(entry, result) for result in _choose_listed(entry)) or "–",
        )
    return table


def _bytes(size: int) -> str:
    """'220 KB', '94 MB'."""
    return f"{size / 1e3:.0f} KB" if size < 1e6 else f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"


def _claimed(claim: "Claim") -> str:
    measure = "" if claim.measure == "accuracy" else f", {claim.measure}"
    spread = f" ± {claim.sd:g}" if claim.sd else ""
    return f"{claim.accuracy:g}{spread} % {claim.data}{measure}"


def _measured(entry: "ModelEntry", result: "Result") -> str:
    """One line: figure, data, how long it was trained, and what must be said beside it."""
    epochs = format_count(result.epochs, "epoch")
    return ", ".join(
        filter(None, (f"{result.accuracy:g} % {result.data} {result.split}", epochs, entry.remark(result)))
    )


def _choose_listed(entry: "ModelEntry") -> "list[Result]":
    """The first result of a single view, as papers measure, else the first: the catalogue has the paper's recipe before
    short runs. None where nothing was measured."""
    return ([result for result in entry.results if result.views == "single"] or list(entry.results))[:1]


def _show(name: str, entry: "ModelEntry") -> None:
    screen = console.out()
    screen.print(f"[bold]{name}[/bold]  {entry.summary}")
    for label, text in _facts(name, entry):
        if text:
            screen.print(_labelled(label, text))
    for claim in entry.claims:
        note = f" ({claim.note})" if claim.note else ""
        screen.print(_labelled("claimed", f"{_claimed(claim)}{note}"))
    for result in entry.results:
        note = f" ({result.note})" if result.note else ""
        screen.print(_labelled("measured", f"{_measured(entry, result)}, {result.views}: {result.command}{note}"))
    for kind, recipe in entry.recipes.items():
        plain = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"note"})
        screen.print(_labelled(f"recipe {kind}", _words(plain) + (f". {recipe.note}" if recipe.note else "")))


def _facts(name: str, entry: "ModelEntry") -> Iterator[tuple[str, str]]:
    """What the entry says of the network itself, label by label."""
    yield "paper", entry.source.cite + (f", doi {entry.source.doi}" if entry.source.doi else "")
    scaling = "pixels / 255"
    if entry.input.scaling == "imagenet":
        scaling += ", repeated to three channels, less ImageNet's means, over its deviations,"
    yield "input", f"gray faces, {entry.input.size}×{entry.input.size}, {scaling} inside the network"
    yield "classes", ", ".join(entry.classes)
    trainable, total = entry.parameters.trainable, entry.parameters.total
    yield "parameters", f"{trainable:,} trainable, {total:,} with running statistics, {_bytes(entry.size)} in float32"
    yield "cost", f"{entry.multiply_adds:,} multiply-adds a face"
    yield "weights", "shipped" if entry.weights else f"none ship: fer train --model {name} makes some"
    if entry.weights:
        yield "licence", entry.licence.statement if entry.licence else "not stated in this catalogue"
    if entry.imagenet:
        yield "starts from", f"{entry.imagenet} of torchvision, where a recipe says imagenet (--no-pretrained: scratch)"
    yield "note", entry.note


def _show_detector(detector: "DetectorEntry") -> None:
    screen = console.out()
    screen.print(f"[bold]{detector.name}[/bold]  {detector.summary}")
    source = detector.source
    for label, text in (
        ("paper", source.cite + (f", doi {source.doi}" if source.doi else "")),
        ("weights", f"shipped (fercli/weights/{detector.weights})"),
        ("licence", detector.licence.statement),
        ("note", detector.note),
    ):
        if text:
            screen.print(_labelled(label, text))


def _labelled(label: str, text: str) -> "Table":
    """A label and a paragraph that stays in its own column."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=12, no_wrap=True, style="bold")
    table.add_column()
    table.add_row(label, Text(text))
    return table


def _words(settings: dict[str, object]) -> str:
    """Settings in one line: 'epochs 100, optimizer (name adam, lr 0.001)'."""
    words = []
    for key, value in settings.items():
        words.append(f"{key.replace('_', ' ')} {_word(value)}")
    return ", ".join(words)


def _word(value: object) -> str:
    if isinstance(value, dict):
        return f"({_words(value)})"
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return "yes" if value is True else str(value)

"""fer models: the catalogue as a list, or one entry of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.core.catalogue import Catalogue, ModelEntry


def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this one in full.")] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List the networks, or show one in full.

    Parameters, recipes, the paper's claim, what was measured here and by what command.
    """
    from fercli.models.catalogue import load_catalogue

    catalogue = load_catalogue()
    if as_json:
        chosen = {name: catalogue[name]} if name else catalogue.models
        console.print_json({key: entry.model_dump(mode="json") for key, entry in chosen.items()})
    elif name:
        _show(name, catalogue[name])
    else:
        console.out().print(_list(catalogue))
        console.note("fer models NAME shows one in full; fer train --model NAME trains it")


def _list(catalogue: "Catalogue") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True)
    table.add_column("parameters", justify="right")
    for heading in ("paper claims", "measured here", "weights"):
        table.add_column(heading)
    for name, entry in catalogue.models.items():
        table.add_row(
            name + (" (default)" if name == catalogue.default else ""),
            f"{entry.parameters.total:,}",
            "\n".join(f"{claim.accuracy:g} % {claim.data}" for claim in entry.claims),
            "\n".join(f"{result.accuracy:g} % {result.data} {result.split}" for result in entry.results) or "–",
            "shipped" if entry.weights else "–",
        )
    return table


def _show(name: str, entry: "ModelEntry") -> None:
    screen = console.out()
    screen.print(f"[bold]{name}[/bold]  {entry.summary}")
    for label, text in (
        ("paper", entry.source.cite + (f", doi {entry.source.doi}" if entry.source.doi else "")),
        ("input", f"gray faces, {entry.input.size}×{entry.input.size}, pixels / 255 inside the network"),
        ("classes", ", ".join(entry.classes)),
        (
            "parameters",
            f"{entry.parameters.trainable:,} trainable, {entry.parameters.total:,} with running statistics",
        ),
        ("weights", "shipped" if entry.weights else f"none ship: fer train --model {name} makes some"),
        ("note", entry.note),
    ):
        if text:
            screen.print(_labelled(label, text))
    for claim in entry.claims:
        screen.print(
            _labelled(
                "claimed",
                f"{claim.accuracy:g} % on {claim.data}" + (f" ({claim.note})" if claim.note else ""),
            )
        )
    for result in entry.results:
        text = f"{result.accuracy:g} % on {result.data} {result.split}, {result.views}, {result.epochs} epochs"
        note = f" ({result.note})" if result.note else ""
        screen.print(_labelled("measured", f"{text}: {result.command}{note}"))
    for kind, recipe in entry.recipes.items():
        plain = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"note"})
        screen.print(_labelled(f"recipe {kind}", _words(plain) + (f". {recipe.note}" if recipe.note else "")))


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
        plain = f"({_words(value)})" if isinstance(value, dict) else "yes" if value is True else str(value)
        words.append(f"{key.replace('_', ' ')} {plain}")
    return ", ".join(words)

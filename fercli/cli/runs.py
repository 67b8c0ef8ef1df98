"""fer runs: the runs that are there, and how they differ."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fercli.cli import console, options
from fercli.core.errors import UsageError
from fercli.core.text import shorten, to_printable

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.runs import RunSummary


class _ListByDefault(TyperGroup):
    """Without a command, `list` is meant, with whatever options there are."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


runs_app = typer.Typer(
    name="runs",
    cls=_ListByDefault,
    add_completion=False,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder with the runs.")]


@runs_app.callback()
def runs() -> None:
    """List the runs of fer train, or compare some.

    Without a command, runs are listed: fer runs is fer runs list.
    """


@runs_app.command("list")
def list_command(folder: Folder = Path("runs"), as_json: options.Json = False, debug: options.Debug = False) -> None:
    """List the runs in a folder, the newest first: model, data, epochs, accuracy and state."""
    from fercli.workflows.runs import list_runs

    runs = list_runs(folder)
    if as_json:
        console.print_json([run.to_dict() for run in runs])
        return
    screen = console.out()
    screen.print(_table(runs, [to_printable(run.folder.name) for run in runs], screen.width))
    console.note("fer runs compare A B shows how two differ; fer eval --model FOLDER measures one")


@runs_app.command("compare")
def compare_command(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Two runs or more: names that fer runs lists, or folders.")
    ],
    folder: Folder = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the runs' curves into this .png file.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show the settings in which runs differ, and their figures."""
    from fercli.core.files import refuse_existing
    from fercli.workflows.runs import compare_runs, find_run, label_runs

    if len(runs) < 2:
        raise UsageError("fer runs compare takes two runs or more")
    if out is not None:
        if out.suffix.lower() != ".png":
            raise UsageError(f"--out {out}: the name must end in .png")
        refuse_existing(out, force=force)
    found, differences = compare_runs([find_run(run, folder) for run in runs])
    labels = [to_printable(label) for label in label_runs([run.folder for run in found])]
    if as_json:
        console.print_json({"runs": [run.to_dict() for run in found], "settings": differences})
    else:
        screen = console.out()
        screen.print(_table(found, labels, screen.width))
        screen.print()
        screen.print(_settings_table(labels, differences) if differences else "the settings are the same")
    if out is not None:
        from fercli.metrics.plots import plot_runs

        plot_runs([(label, run.history) for label, run in zip(labels, found, strict=True)], out)
        console.note(f"curves in {out}")


#: Columns that the figures of a run take.
_FIGURES = 36


def _table(runs: "list[RunSummary]", labels: list[str], width: int) -> "Table":
    """A row a run: accuracies in percent, of a single view.

    A name stays whole, so that it can be copied: where the terminal is narrow, model and data stand below it.
    """
    from rich.table import Table
    from rich.text import Text

    names = [(label, *_describe(run)) for label, run in zip(labels, runs, strict=True)]
    roomy = sum(max(map(len, column)) for column in zip(*names, strict=True)) + _FIGURES <= width
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(
        "run", overflow="fold", min_width=min(max(len(name) for name, *_ in names), max(1, width - _FIGURES))
    )
    for heading in ("model", "data") if roomy else ():
        table.add_column(heading, overflow="fold")
    for heading in ("epochs", "val", "test"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state")
    styles = {"complete": "green", "unfinished": "yellow", "damaged": "red"}
    for run, (name, model, data) in zip(runs, names, strict=True):
        state = Text(run.state, styles[run.state])
        if run.problem:
            state.append(f": {shorten(run.problem, 60)}")
        about = (
            (Text(name), Text(model), Text(data))
            if roomy
            else (Text(name).append(f"\n{model} {data}".rstrip(), "dim"),)
        )
        table.add_row(*about, *_figures(run), state)
    return table


def _describe(run: "RunSummary") -> tuple[str, str]:
    """A run's model and data, '' where its settings cannot be read."""
    return (run.config.model, to_printable(Path(run.config.data).name)) if run.config else ("", "")


def _figures(run: "RunSummary") -> tuple[str, str, str]:
    """A run's epochs and accuracies, '' where there are none."""
    if run.config is None:
        return "", "", ""
    val, test = ("" if value is None else f"{100 * value:.2f}" for value in (run.val_accuracy, run.test_accuracy))
    return f"{run.epochs} of {run.config.recipe.epochs}", val, test


def _settings_table(labels: list[str], differences: dict[str, list[str]]) -> "Table":
    """A row a setting that differs, a column a run."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    for label in labels:
        table.add_column(Text(label), overflow="fold")
    for name, values in differences.items():
        table.add_row(name, *(Text(to_printable(shorten(value, 200))) for value in values))
    return table

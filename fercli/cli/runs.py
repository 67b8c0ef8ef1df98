"""fer runs: the runs that are there, and how they differ."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import console, options
from fercli.core.errors import UsageError
from fercli.core.text import shorten, to_printable

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.runs import RunSummary

runs_app = typer.Typer(
    name="runs",
    add_completion=False,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder with the runs.")]


@runs_app.callback(invoke_without_command=True)
def runs(context: typer.Context) -> None:
    """List the runs of fer train, or compare some.

    Without a command, the runs in runs/ are listed.
    """
    if context.invoked_subcommand is None:
        list_command()


@runs_app.command("list")
def list_command(folder: Folder = Path("runs"), as_json: options.Json = False, debug: options.Debug = False) -> None:
    """List the runs in a folder, the newest first: model, data, epochs, accuracy and state."""
    from fercli.workflows.runs import list_runs

    runs = list_runs(folder)
    if as_json:
        console.print_json([run.to_dict() for run in runs])
        return
    console.out().print(_table(runs))
    console.note("fer runs compare A B shows how two differ; fer eval --model FOLDER measures one")


@runs_app.command("compare")
def compare_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders, two or more.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the runs' curves into this .png file.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show the settings in which runs differ, and their figures."""
    from fercli.core.files import refuse_existing
    from fercli.workflows.runs import compare_runs

    if len(runs) < 2:
        raise UsageError("fer runs compare takes two runs or more")
    if out is not None:
        if out.suffix.lower() != ".png":
            raise UsageError(f"--out {out}: the name must end in .png")
        refuse_existing(out, force=force)
    found, differences = compare_runs(runs)
    if as_json:
        console.print_json({"runs": [run.to_dict() for run in found], "settings": differences})
    else:
        screen = console.out()
        screen.print(_table(found))
        screen.print()
        screen.print(_settings_table(found, differences) if differences else "the settings are the same")
    if out is not None:
        from fercli.metrics.plots import plot_runs

        plot_runs([(to_printable(run.folder.name), run.history) for run in found], out)
        console.note(f"curves in {out}")


def _table(runs: "list[RunSummary]") -> "Table":
    """A row a run: accuracies in percent, of a single view."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "model", "data"):
        table.add_column(heading, overflow="fold")
    for heading in ("epochs", "val", "test"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state")
    styles = {"complete": "green", "unfinished": "yellow", "damaged": "red"}
    for run in runs:
        config = run.config
        name = Text(to_printable(run.folder.name))
        state = Text(run.state, styles[run.state])
        if config is None:
            table.add_row(name, "", "", "", "", "", state.append(f": {shorten(run.problem, 60)}"))
            continue
        epochs = f"{run.epochs} of {config.recipe.epochs}"
        percents = ("" if value is None else f"{100 * value:.2f}" for value in (run.val_accuracy, run.test_accuracy))
        table.add_row(name, config.model, to_printable(Path(config.data).name), epochs, *percents, state)
    return table


def _settings_table(runs: "list[RunSummary]", differences: dict[str, list[str]]) -> "Table":
    """A row a setting that differs, a column a run."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    for run in runs:
        table.add_column(Text(to_printable(run.folder.name)), overflow="fold")
    for name, values in differences.items():
        table.add_row(name, *(Text(to_printable(shorten(value, 200))) for value in values))
    return table

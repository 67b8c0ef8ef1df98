"""fer export: a trained network as a file that runs without this program, compared with PyTorch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options
from fercli.core.progress import explain_interrupt
from fercli.core.text import format_count

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.export.hub import HubFolder
    from fercli.workflows.export.verify import Export

Form = Literal["onnx", "onnx-int8", "pt2", "safetensors", "safetensors-half"]


def export(
    model: options.Model = None,
    form: Annotated[Form | None, typer.Option("--format", help="Default: onnx, or by the ending of --output.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write. Default: named after the model."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            help="Measure accuracy on the val split of this set, and fit the temperature of an ensemble on it. "
            "onnx-int8 is calibrated on its training split.",
        ),
    ] = None,
    root: options.Root = None,
    input_dtype: Annotated[
        Literal["uint8", "float32"], typer.Option(help="The input type of the graph, for gray values of 0 to 255.")
    ] = "uint8",
    max_drop: Annotated[
        float,
        typer.Option(
            metavar="POINTS", help="Refuse a file that loses more than this many percentage points of accuracy."
        ),
    ] = 1.0,
    with_detector: Annotated[
        bool, typer.Option("--with-detector", help="Also write MTCNN's pnet.onnx, rnet.onnx and onet.onnx.")
    ] = False,
    to_hub_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a folder as model hubs take it instead of one file: card, weights, ONNX file and settings. "
            "Nothing is uploaded.",
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Export a network to a file that runs without this program.

    The file is compared with PyTorch first and written only if it agrees; FILE.json has all figures.
    """
    from fercli.cli.progress import TerminalProgress

    with TerminalProgress() as progress, explain_interrupt(progress, lambda: "stopped; no file is half-written"):
        if to_hub_folder is not None:
            from fercli.workflows.export.hub import export_hub_folder

            folder = export_hub_folder(
                model,
                to_hub_folder,
                data=data,
                root=root,
                input_type=input_dtype,
                max_drop=max_drop,
                form=form,
                output=output,
                with_detector=with_detector,
                force=force,
            )
            _show_folder(folder, as_json)
        else:
            from fercli.workflows.export.run import export as workflow

            done = workflow(
                model,
                form,
                output,
                data=data,
                root=root,
                input_type=input_dtype,
                max_drop=max_drop,
                with_detector=with_detector,
                force=force,
            )
            _show_file(done, as_json)


def _show_file(done: "Export", as_json: bool) -> None:
    """What was made, how it compares, and what to do with it."""
    if as_json:
        console.print_json(done.to_dict())
    else:
        console.out().print(_summary(done))
    if done.remark:
        console.note(done.remark)
    console.note(f"figures, and every face that is predicted differently, are in {done.report}")
    if done.form.startswith("onnx"):
        console.note(f"next: fer predict --model {done.path} PHOTO")


def _summary(done: "Export") -> "Table":
    """What was made and how it compares, a line a figure: the file's, then PyTorch's."""
    from rich.table import Table
    from rich.text import Text

    from fercli.models.export.verify import TOLERANCE
    from fercli.workflows.export.verify import ROUNDED

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column(Text(done.path.name), justify="right", overflow="fold")
    table.add_column("PyTorch", justify="right")
    table.add_column("", style="dim")
    table.add_row("size", _kilobytes(done.size), _kilobytes(done.weights_size), "PyTorch: the tensors alone")
    for size, taken in done.check.milliseconds.items():
        times = (f"{taken[name]:.2f} ms" for name in ("exported", "pytorch"))
        table.add_row(format_count(size, "face"), *times, "one thread")
    if accuracy := done.check.accuracy:
        percentages = (f"{100 * fraction:.2f} %" for fraction in (accuracy.exported, accuracy.pytorch))
        otherwise = f"{len(accuracy.differing):,} of {accuracy.faces:,} faces of {accuracy.data} {accuracy.split}"
        table.add_row("accuracy", *percentages, f"{otherwise} predicted differently")
    allowed = "" if done.form in ROUNDED else f", allowed: {TOLERANCE:g}"
    table.add_row("difference", f"{done.check.largest_difference:.1g}", "", f"largest of a probability{allowed}")
    for path in done.detector:
        table.add_row("detector", Text(path.name), "", "")
    return table


def _show_folder(folder: "HubFolder", as_json: bool) -> None:
    """The files of a folder for a hub, and how its ONNX file compares."""
    from rich.table import Table

    if as_json:
        console.print_json(folder.to_dict())
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("file")
        table.add_column("size", justify="right")
        for name, size in folder.files.items():
            table.add_row(name, _kilobytes(size))
        console.out().print(table)
    console.note(f"largest difference of a probability from PyTorch's: {folder.check.largest_difference:.1g}")
    if found := folder.check.accuracy:
        console.note(
            f"accuracy on {found.data} {found.split}: {100 * found.exported:.2f} %, PyTorch {100 * found.pytorch:.2f} %"
        )
    if folder.licence is None:
        console.note("no licence is known for these weights: state one in README.md before you share them")
    console.note("nothing was uploaded; README.md has the command of the training: read it before you share the folder")
    console.note(f"next: fer predict --model {folder.path} PHOTO")


def _kilobytes(size: int) -> str:
    return f"{size / 1e3:,.0f} KB"

"""fer predict: the expression of every face in pictures and videos."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import console, options
from fercli.cli.prediction_bar import bar_fits, with_bar
from fercli.cli.prediction_extras import Extras
from fercli.cli.prediction_output import Shown, chosen_form, output_file, still_to_do, write
from fercli.cli.prediction_tally import Tally, count

if TYPE_CHECKING:
    from fercli.faces.io.sources import Source


def predict(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Pictures, videos, folders, zip and tar archives, quoted patterns."),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="A text file of paths, one a line or each ended by NUL, as seen from the current folder; '-' is "
            "standard input.",
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The portrait in matplotlib's sample data.")] = False,
    model: options.Model = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Folders within folders too.")] = False,
    faces_are_cropped: Annotated[
        bool, typer.Option("--faces-are-cropped", help="Every picture is one face already: no search.")
    ] = False,
    form: Annotated[Shown | None, typer.Option("--format", help="Default: table, or what --output ends in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file: .csv, .jsonl, .json or .parquet.")
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Marked copies in this folder; of a video its timeline too."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of videos, look at a frame so often: 0.5s, 500ms, 2; 'frame': all."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(metavar="N", help="Of videos, look at so many frames a second. Default: 5."),
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="In videos, average a person's expressions over so long: 0.5s."),
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw what speaks for each face's expression (Grad-CAM) here.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page to look at: counts and faces, in one .html.")
    ] = None,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = True,
    min_face: Annotated[
        float,
        typer.Option(metavar="PX", help="The smallest face looked for, in pixels: higher is faster, lower finds more."),
    ] = 20,
    max_side: Annotated[
        int,
        typer.Option(
            metavar="PX",
            help="Search larger pictures as if shrunk to it: lower is faster, higher finds small faces; 0: never.",
        ),
    ] = 1920,
    threshold: Annotated[
        float,
        typer.Option(help="How sure the detector must be, 0 to 1: lower finds more faces, and more that are none."),
    ] = 0.7,
    raw: Annotated[bool, typer.Option("--raw", help="Confidence as trained, not calibrated.")] = False,
    min_confidence: Annotated[
        float, typer.Option(metavar="SHARE", help="Below it, 0 to 1, a face is 'unsure'; its figures stay.")
    ] = 0.0,
    device: options.Device = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --output where it was broken off, or add new pictures to it.")
    ] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Name the expression of every face in pictures and videos.

    Faces are numbered from left to right, people in a video as they appear. Exit code 1 if a file could not be read.
    """
    from fercli.core.errors import UsageError
    from fercli.faces.io.sources import find_sources, read_list
    from fercli.workflows.predict.search_settings import SearchSettings
    from fercli.workflows.predict.unsure import check_share
    from fercli.workflows.predict.video_settings import video_settings

    chosen = chosen_form(form, as_json, output)
    check_share(min_confidence)
    video = video_settings(every, fps, smooth)
    search = SearchSettings(min_face, max_side, threshold, faces_are_cropped)
    if from_file and output and output.exists() and from_file.exists() and output.samefile(from_file):
        raise UsageError(f"--output {output} is the list that --from-file reads: choose another name")
    file = output_file(output, chosen, resume, force)
    named = [*(paths or []), *([_portrait()] if demo else [])]
    sources = find_sources(named, recursive, listed=read_list(from_file) if from_file else ())
    # what changes a row goes here, so that --resume refuses other settings
    settings = {
        "tta": tta, "raw": raw, "faces-are-cropped": faces_are_cropped, "min-face": min_face, "max-side": max_side,
        "threshold": threshold, "every": video.every, "smooth": video.smooth, "min-confidence": min_confidence,
    }  # fmt: skip
    tally = Tally()
    left = still_to_do(sources, file, resume, model, settings, tally) if file else sources
    missing = {source.path for source in left}
    done = [source for source in sources if source.path not in missing]
    extras = Extras(left, annotate, explain, report, force, file, done)
    if file and not left and file.complete and not extras.asked_for:
        console.note(f"{output} has all {count(len(sources), 'picture')} already: nothing left to do")
        raise typer.Exit(1 if tally.failed else 0)

    from fercli.models.loaded import load_model
    from fercli.training.device import model_device, pick_device
    from fercli.workflows.predict.job import predict_sources

    where = pick_device(device)
    if where.type == "mps" and not faces_are_cropped:
        console.note("faces are searched for on the CPU; expressions are named on mps")
    finder = search.finder(str(where))
    network = load_model(model, model_device(model, device), mirrored=tta, raw=raw)
    if network.remark:
        console.note(network.remark)
    stages = extras.stages(network, file, every=video.every, smooth=video.smooth, min_confidence=min_confidence)
    counted = tally.counting(predict_sources(left, network, finder, stages))
    if bar_fits(left, chosen, output):
        counted = with_bar(counted, left)
    with console.without_chatter():
        write(counted, network.classes, chosen, output, file)
    if file and not tally.interrupted:
        file.finish(network.classes)
    console.note(tally.sentence(network.classes))
    _note_videos(sources, {"--every": every, "--fps": fps, "--smooth": smooth})
    if output and not (file and tally.interrupted):
        console.note(f"written to {output}")
    extras.finish(network, tally.faces, str(search))
    if tally.interrupted:
        further = f"; the same command with --resume goes on with {output}" if file else ""
        console.note(f"{tally.stopped(len(sources))}{further}")
        raise typer.Exit(130)
    if tally.failed:
        raise typer.Exit(1)


def _portrait() -> Path:
    """Grace Hopper, from the sample data that matplotlib installs."""
    from matplotlib.cbook import get_sample_data

    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def _note_videos(sources: "Sequence[Source]", typed: "dict[str, object]") -> None:
    """How videos are looked at where that was not asked for, or that there are none for what was asked."""
    given = [flag for flag, value in typed.items() if value is not None]
    if all(source.kind == "picture" for source in sources):
        if given:
            console.note(f"no video among the paths: {' and '.join(given)} had nothing to do")
    elif not {"--every", "--fps"} & set(given):
        from fercli.workflows.predict.video_settings import EVERY

        rate = f"{1 / EVERY:g} frames a second were looked at"
        console.note(f"{rate}: --fps N takes another number, --every frame all of them")

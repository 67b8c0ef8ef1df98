"""fer predict: the expression of every face in pictures and videos."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import options
from fercli.cli.predict_jobs import collect_files, run_into_file, run_into_folder
from fercli.core.engine import Engine
from fercli.core.errors import UsageError
from fercli.core.text import read_seconds
from fercli.workflows.predict.folder_job.options import FolderOptions, is_folder
from fercli.workflows.predict.options import MAX_SMOOTH, PredictOptions
from fercli.workflows.predict.output import Form, UnknownFormError, form_of

#: What standard output takes.
Shown = Literal["table", "csv", "jsonl", "json"]


def predict(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Pictures, videos, folders, zip or tar archives, or quoted patterns such as '*.jpg'.",
            readable=False,  # a file without permission is a row, so Typer must not look
        ),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="Read paths from this text file, one per line or NUL-terminated; '-' reads standard input.",
        ),
    ] = PredictOptions.from_file,
    camera: Annotated[
        str | None,
        typer.Option(metavar="N", help="Watch this camera, 0 is the first, in real time, until Ctrl-C."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="With --camera: show the frames in a window.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Use the portrait in matplotlib's sample data.")] = False,
    model: options.Model = PredictOptions.model,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also search subfolders.")
    ] = PredictOptions.recursive,
    faces_are_cropped: Annotated[
        bool, typer.Option("--faces-are-cropped", help="Every picture is a face crop already: skip face detection.")
    ] = PredictOptions.faces_are_cropped,
    form: Annotated[
        Shown | None,
        typer.Option("--format", help="The form of the output. Default: table, or by the ending of --output."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to this file: .csv, .jsonl, .json or .parquet; or to a folder, faces/ or s3://bucket/faces/, a "
            "Parquet file for each shard.",
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(metavar="N", help="With a folder: the number of shards. Default: one per 100 MB of pictures."),
    ] = FolderOptions.shards,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "--workers", "-j", help="With a folder: shards worked on at the same time."),
    ] = FolderOptions.jobs,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With a folder: work on a Ray cluster; auto is the one that this machine belongs to.",
        ),
    ] = FolderOptions.ray,
    cpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: what each shard takes of a node. Default: 1.")
    ] = FolderOptions.cpus_per_task,
    gpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: the same for GPUs. Default: 0.")
    ] = FolderOptions.gpus_per_task,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Work on shard I of N only, for job queues; needs --output."),
    ] = PredictOptions.shard,
    collect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the shards of this output as one file.")
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write annotated pictures and videos to this folder, and a timeline of each video."
        ),
    ] = PredictOptions.annotate,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Videos: the time between sampled frames, e.g. 0.5s, 500ms or 2; 'frame' takes every frame.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(metavar="N", help="Videos: frames sampled per second. Default: 5."),
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Videos: average each person's expressions over this long, e.g. 0.5s."),
    ] = None,
    by_person: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Videos: write a row per person to this .csv file: times and expressions."),
    ] = PredictOptions.by_person,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write Grad-CAM heatmaps to this folder: where the network sees each expression."
        ),
    ] = PredictOptions.explain,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report with counts and faces as one .html page.")
    ] = PredictOptions.report,
    save_crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Save each face as the network sees it, 48×48 gray, in a subfolder per expression."
        ),
    ] = PredictOptions.save_crops,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the input of the network's last layer for each face: .parquet or .npz."
        ),
    ] = PredictOptions.embeddings,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = PredictOptions.tta,
    min_face: Annotated[
        float,
        typer.Option(
            metavar="PX", help="The smallest face to detect, in pixels: higher is faster, lower finds more faces."
        ),
    ] = PredictOptions.min_face,
    max_side: Annotated[
        int,
        typer.Option(
            metavar="PX",
            help="Scale larger pictures down to this side for face detection: lower is faster, higher finds smaller "
            "faces; 0 never scales.",
        ),
    ] = PredictOptions.max_side,
    threshold: Annotated[
        float,
        typer.Option(help="The detector's confidence threshold, 0 to 1: lower finds more faces, and more false ones."),
    ] = PredictOptions.threshold,
    max_faces: Annotated[
        int, typer.Option(metavar="N", help="Use only the N largest faces of each picture or frame; 0 uses all.")
    ] = PredictOptions.max_faces,
    raw: Annotated[bool, typer.Option("--raw", help="Leave the confidence uncalibrated.")] = PredictOptions.raw,
    min_confidence: Annotated[
        float,
        typer.Option(
            metavar="P", help="Label faces below this confidence, 0 to 1, 'unsure'; their probabilities stay."
        ),
    ] = PredictOptions.min_confidence,
    device: options.Device = PredictOptions.device,
    threads: options.Threads = None,
    engine: Annotated[
        Engine,
        typer.Option(help="What runs the networks: onnx (ONNX Runtime, on the CPU), torch (PyTorch), or auto."),
    ] = PredictOptions.engine,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Continue an interrupted job, or add new pictures to --output; a folder takes none."
        ),
    ] = PredictOptions.resume,
    force: options.Force = PredictOptions.force,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Predict the expression of every face in pictures and videos.

    Faces are numbered from left to right, and people in a video in order of appearance. The exit code is 1 if a file
    could not be read.
    """
    flags = locals()
    if collect:
        collect_files(collect, force, [*(paths or []), *([from_file] if from_file else [])], output, shard)
        return
    sampling = {"every": _read_every(every, fps), "smooth": _read_smooth(smooth)}
    if camera is not None:
        if paths or from_file or demo:
            raise UsageError(f"--camera {camera} takes no pictures: leave them out")
        if given := options.collect(FolderOptions, flags).given:
            raise UsageError(f"--camera does not go with {given[0]}: leave it out")
        from fercli.cli.predict_camera import SMOOTH, predict_from_camera

        usual = {**({} if every or fps else {"every": 0.0}), **({} if smooth else {"smooth": SMOOTH})}
        rows = Path(output) if output is not None else None
        settings = options.collect(PredictOptions, flags | sampling | usual | {"output": rows})
        predict_from_camera(camera, settings, _choose_form(form, as_json, rows), show)
    if show:
        raise UsageError("--show is for --camera: --annotate DIR writes annotated pictures and videos")
    folder_options = options.collect(FolderOptions, flags)
    inputs = [*(paths or []), *([_portrait()] if demo else [])]
    if output is not None and is_folder(output):
        if form or as_json:
            raise UsageError(f"--output {output} is a folder of Parquet files: leave --format and --json out")
        if shard:
            raise UsageError(f"--output {output} is a folder, which --shards N cuts: leave --shard {shard} out")
        alone = {"output": None, "resume": False, "force": False}  # those of the folder
        settings = options.collect(PredictOptions, flags | sampling | alone)
        run_into_folder(inputs, output, settings, folder_options)
    if folder_options.given:
        raise UsageError(f"{folder_options.given[0]} is for a folder as the output, as in --output faces/")
    file = Path(output) if output is not None else None
    try:
        chosen = _choose_form(form, as_json, file)
    except UnknownFormError as error:
        raise UsageError(f"{error}; a folder of Parquet files is typed with a slash: {output}/") from error
    settings = options.collect(PredictOptions, flags | sampling | {"output": file})

    run_into_file(inputs, settings, chosen, {"--every": every, "--fps": fps, "--smooth": smooth})


def _choose_form(form: Shown | None, as_json: bool, output: Path | None) -> Form | Shown:
    """The one form that the flags and the file's ending agree on. Raises UsageError where they do not."""
    wanted: dict[str, Form | Shown] = {"--json": "json"} if as_json else {}
    if form:
        wanted[f"--format {form}"] = form
    if output:
        wanted[f"--output {output}"] = form_of(output)
    if len(set(wanted.values())) > 1:
        raise UsageError(f"{' and '.join(wanted)} name different forms: leave one out")
    return next(iter(wanted.values()), "table")


def _read_every(every: str | None, fps: float | None) -> float:
    """The seconds between two frames that --every or --fps ask for. Raises UsageError where they make no sense."""
    if every is not None and fps is not None:
        raise UsageError(f"--every {every} and --fps {fps:g} say the same thing: leave one out")
    if fps is not None:
        if not 0.0001 <= fps <= 1000:  # not a number included
            raise UsageError(f"--fps {fps:g}: frames a second, more than 0; --every frame takes all of them")
        return 1 / fps
    if every is None:
        return PredictOptions.every
    return 0.0 if every.strip().lower() == "frame" else read_seconds(every, "--every")


def _read_smooth(smooth: str | None) -> float:
    if smooth is None:
        return PredictOptions.smooth
    seconds = read_seconds(smooth, "--smooth")
    if not 0 < seconds <= MAX_SMOOTH:
        raise UsageError(f"--smooth {smooth}: more than 0 seconds, at most {MAX_SMOOTH:g}")
    return seconds


def _portrait() -> Path:
    """Grace Hopper, from the sample data that matplotlib installs."""
    from matplotlib.cbook import get_sample_data

    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))

"""What `fer export` does: a trained network as a file that runs without this program, compared before it counts."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import torch

from fercli.core.errors import ModelError, UsageError
from fercli.core.files import refuse_existing, write_json, written_whole
from fercli.core.registry import suggest
from fercli.faces.crop import MARGIN
from fercli.models.export.graph import InputType, graph, metadata, write_onnx, write_pt2
from fercli.models.export.quantise import quantise
from fercli.models.export.verify import Runner, file_runner, module_runner
from fercli.models.load import Model, load_model
from fercli.models.onnx_file import OnnxNetwork
from fercli.models.weights import save_weights
from fercli.workflows.evaluate.evaluation import fit_temperatures
from fercli.workflows.export.detector import DETECTOR_FILES, export_detector
from fercli.workflows.export.verify import (
    ROUNDED,
    SUFFIXES,
    Export,
    ExportFaces,
    Form,
    check,
    export_faces,
    report_path,
)


def export(
    model: str | None = None,
    form: Form | None = None,
    output: Path | None = None,
    *,
    data: str | None = None,
    root: Path | None = None,
    input_type: InputType = "uint8",
    max_drop: float = 1.0,
    with_detector: bool = False,
    force: bool = False,
    seconds: float = 1.0,
) -> Export:
    """Write a trained network as `form`, compare it with PyTorch, and write the report beside it.

    Without a form it is what `output` ends in, else onnx. `data` has the faces that accuracy is measured on (val: a
    test split is not for decisions), that the temperature of an ensemble is fitted on where it has none (val), and that
    int8 is calibrated on (train). `with_detector` writes MTCNN's networks
    into the same folder. `seconds` is the time that each timing takes.

    Raises UsageError for what does not fit, DataError, ModelError, or RunError where a file cannot be written. A file
    that differs from PyTorch, or loses more than `max_drop` points of accuracy, is left aside as NAME.refused.SUFFIX
    with its report, and ModelError says so.
    """
    form = form or _form_of(output)
    loaded = load_model(model)
    refuse_what_cannot_be(loaded, form, data, with_detector)
    output = _output(loaded, form, output)
    _refuse_existing(output, with_detector, force)
    faces = export_faces(loaded, data, root) if data is not None else None
    if faces and loaded.header.lacks_temperature:
        loaded = _with_fitted_temperature(loaded, faces)
    made = _write_checked(loaded, form, output, input_type, faces, max_drop, seconds)
    if with_detector:
        made = replace(made, detector=export_detector(output.parent))
    write_json(made.report, made.to_dict())
    return made


def _write_checked(
    model: Model,
    form: Form,
    output: Path,
    input_type: InputType,
    faces: ExportFaces | None,
    max_drop: float,
    seconds: float,
) -> Export:
    """Write the file beside its destination, compare it, and move it there, or aside where it is not good enough."""
    with written_whole(output) as temporary:
        temporary.touch()  # what cannot be written is told before any work is done
        write_form(model, form, temporary, input_type, faces)
        made = _made(model, form, output, temporary, input_type, faces, seconds)
        if fault := made.check.fault(exact=form not in ROUNDED, max_drop=max_drop):
            aside = output.with_name(f"{output.stem}.refused{output.suffix}")
            temporary.replace(aside)
            figures = report_path(aside)
            write_json(figures, {**made.to_dict(), "file": aside.name, "refused": fault})
            raise ModelError(f"{fault}: {output} was not written; {aside} has what was made, {figures} the figures")
    return made


def _form_of(output: Path | None) -> Form:
    fitting = (form for form in SUFFIXES if output and output.suffix.lower() == SUFFIXES[form])
    return next(fitting, "onnx")


def refuse_what_cannot_be(model: Model, form: Form, data: str | None, with_detector: bool) -> None:
    """Raise UsageError or ModelError for a model that cannot be written as `form`, and for options that it lacks."""
    if form not in get_args(Form):
        raise UsageError(f"no format '{form}': {suggest(form, SUFFIXES)}")
    if any(isinstance(module, OnnxNetwork) for module in model.network.modules()):
        raise ModelError(f"{model.path} is an exported file: export the run or weights that it was made of")
    if form.startswith("safetensors") and model.header.is_ensemble:
        raise ModelError(
            "an ensemble has no weights file of its own: export it to onnx or pt2, or export its members one by one"
        )
    if form == "onnx-int8" and data is None:
        raise UsageError("onnx-int8 needs real faces to find its ranges with: say which with --data (a name or a path)")
    if with_detector and not form.startswith("onnx"):
        raise UsageError(f"--with-detector writes ONNX files and goes with --format onnx or onnx-int8, not {form}")


def _with_fitted_temperature(model: Model, faces: ExportFaces) -> Model:
    """The average with a temperature fitted on the faces that are measured, unless they are a test split."""
    if faces.split != "val":
        return model
    measured = faces.measured
    temperature = fit_temperatures(model.network, torch.from_numpy(measured.images), measured.labels)
    header = model.header.set_temperature(temperature, f"{measured.name} {faces.split}")
    return replace(model, header=header)


def _output(model: Model, form: Form, output: Path | None) -> Path:
    """The file to write: the one asked for, else one named after the model."""
    if output is None:
        name = model.name + (f"-{form.split('-')[1]}" if form in ROUNDED else "")
        return Path(f"{name}{SUFFIXES[form]}")
    if output.suffix.lower() != SUFFIXES[form]:
        raise UsageError(f"--output {output}: a file of the format {form} ends in {SUFFIXES[form]}")
    return output


def _refuse_existing(output: Path, with_detector: bool, force: bool) -> None:
    detector = [output.parent / name for name in DETECTOR_FILES] if with_detector else []
    refuse_existing(output, report_path(output), *detector, force=force, otherwise="choose another --output")


def write_form(model: Model, form: Form, path: Path, input_type: InputType, faces: ExportFaces | None) -> None:
    """Write a model as a file of that form, compared with nothing yet."""
    about = metadata(model, input_type) | {
        "framing": "a square around the middle of MTCNN's box, its side the box's longer side times (1 + 2 · margin)",
        "margin": str(MARGIN),
    }
    if form.startswith("safetensors"):
        save_weights(path, model.network.state_dict(), model.header, half=form == "safetensors-half")
    elif form == "pt2":
        write_pt2(model, path, input_type, about)
    elif form == "onnx":
        write_onnx(model, path, input_type, about)
    else:
        assert faces is not None
        with TemporaryDirectory() as folder:
            whole = Path(folder) / "float32.onnx"
            write_onnx(model, whole, input_type, about)
            quantise(whole, path, faces.calibration.images.astype(input_type), about)


def _made(
    model: Model,
    form: Form,
    output: Path,
    written: Path,
    input_type: InputType,
    faces: ExportFaces | None,
    seconds: float,
) -> Export:
    """The file that was written, compared with the model."""
    original = module_runner(graph(model))
    found = check(original, _runner(form, written, input_type), faces, seconds)
    size = sum(value.nbytes for value in model.network.state_dict().values())
    calibration = len(faces.calibration) if faces and form == "onnx-int8" else 0
    return Export(
        output, model.name, form, input_type, written.stat().st_size, size, calibration,
        model.header.temperature, found, remark=model.remark,
    )  # fmt: skip


def _runner(form: Form, path: Path, input_type: InputType) -> Runner:
    if form.startswith("safetensors"):
        return module_runner(graph(load_model(str(path))))
    return file_runner(path, input_type == "float32")

"""The shape of the package: which room may import which, what is public, what starts fast."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import fercli

PACKAGE = Path(fercli.__file__).parent

#: Which rooms each room may use besides itself. Imports go down only.
ALLOWED = {
    "core": set(),
    "faces": {"core"},
    "data": {"core", "faces"},
    "models": {"core"},
    "runner": {"core"},
    "metrics": {"core"},
    "training": {"core", "data", "models", "metrics"},
    "workflows": {"core", "faces", "data", "models", "metrics", "runner", "training"},
    "cli": {"core", "faces", "data", "models", "metrics", "training", "workflows"},
}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file} imports relatively"
            yield node.module


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_go_down_only(room):
    files = list((PACKAGE / room).rglob("*.py"))
    assert files
    for file in files:
        used = {module.split(".")[1] for module in imports(file) if module.startswith("fercli.")}
        assert used <= ALLOWED[room] | {room}, f"{file.relative_to(PACKAGE)} imports {used - ALLOWED[room] - {room}}"


def test_every_room_is_in_the_table():
    rooms = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    assert rooms == set(ALLOWED)


def test_only_faces_knows_the_detector_and_opencv():
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).parts[0] != "faces":
            assert not {"cv2", "facenet_pytorch"} & {module.split(".")[0] for module in imports(file)}, file


PUBLIC = {
    *("FacePrediction", "FerError", "PictureResult", "PredictSummary", "__version__", "build_model", "load_faces"),
    *("load_model", "predict", "predict_files", "read_predictions"),
}


def test_every_public_name_is_there_and_no_other():
    assert set(fercli.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(fercli, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        fercli.nothing  # noqa: B018


def test_the_command_line_starts_without_anything_heavy():
    heavy = ("torch", "numpy", "cv2", "matplotlib", "sklearn", "pydantic", "yaml", "PIL", "rich.table")
    code = f"import sys, fercli.cli.app; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


#: What a photograph's table does without: Grad-CAM, videos, files of rows, drawings and reports, other commands.
UNUSED = {
    "fercli.models.explain",
    "fercli.workflows.predict.video",
    *("fercli.faces.video", "fercli.faces.drawing", "fercli.models.onnx_file"),
    *("fercli.workflows.predict.visuals", "fercli.workflows.predict.output.parquet", "fercli.metrics", "fercli.data"),
    *("fercli.workflows.predict.output.readers", "fercli.workflows.predict.output.writers"),
    *("fercli.cli.train", "fercli.cli.evaluate", "fercli.cli.crossval"),
    *("torch", "facenet_pytorch", "captum", "pyarrow", "pandas", "sklearn", "onnx", "matplotlib.figure"),
}


def test_a_photograph_loads_only_what_it_needs():
    code = (
        "import sys; sys.argv = ['fer', 'predict', '--demo', '--device', 'cpu']\n"
        "from fercli.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('modules:', *sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "grace_hopper.jpg" in shown
    loaded = set(shown.splitlines()[-1].split())
    assert not UNUSED & loaded
    assert all(find_spec(name) for name in UNUSED if name.startswith("fercli.")), "a module was renamed"
    assert len([name for name in loaded if name.partition(".")[0] == "fercli"]) < 60

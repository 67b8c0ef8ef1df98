"""docs/train.md's examples for MLflow and Weights & Biases, executed as they stand there with the real libraries.

They are installed by `pip install mlflow wandb`, and skipped where they are not.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "train.md"


@pytest.fixture
def run_example(tmp_path, monkeypatch):
    """Executes the page's example that imports a library, in an empty folder; nothing is sent anywhere."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_CACHE_DIR": str(tmp_path / "cache"),
        "WANDB_CONFIG_DIR": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)

    def run(library: str) -> None:
        blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        (example,) = [block for block in blocks if f"import {library}\n" in block]
        exec(compile(example, f"{PAGE.name}: {library}", "exec"), {})

    return run


def read_history(folder: Path) -> list[float]:
    """Validation accuracies of the epochs in the run that was trained in a folder."""
    (history,) = folder.glob("runs/*/history.csv")
    heading, *rows = (line.split(",") for line in history.read_text(encoding="utf-8").splitlines())
    return [float(row[heading.index("val_accuracy")]) for row in rows]


@pytest.mark.filterwarnings("default")
def test_mlflow_has_each_epoch(run_example, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    run_example("mlflow")
    logged = mlflow.MlflowClient().get_metric_history(mlflow.last_active_run().info.run_id, "val_accuracy")
    assert [metric.step for metric in logged] == [1, 2]
    assert [metric.value for metric in logged] == pytest.approx(read_history(tmp_path), abs=1e-4)


@pytest.mark.filterwarnings("default")
def test_wandb_has_each_epoch(run_example, tmp_path):
    pytest.importorskip("wandb", reason="wandb is not installed")
    run_example("wandb")
    (record,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    # the key, the value's length and the value, in the epoch's record and in that of the summary
    values = [float(value) for value in re.findall(rb"val/accuracy\W+([01]\.\d+)", record.read_bytes())]
    assert list(dict.fromkeys(values)) == pytest.approx(read_history(tmp_path), abs=1e-4)

"""fercli: facial expression recognition, offline.

The names in `__all__` are the public ones; each is imported when it is first used, so that
`import fercli` costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# ONNX Runtime notes a device id and usage events in the user's cache otherwise; it looks when it is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fercli.core.errors import FerError as FerError
    from fercli.data.load import load_faces as load_faces
    from fercli.models.catalogue import build_model as build_model
    from fercli.models.load import load_model as load_model
    from fercli.workflows.predict.api import predict as predict
    from fercli.workflows.predict.api import predict_files as predict_files
    from fercli.workflows.predict.output.readers import read_predictions as read_predictions
    from fercli.workflows.predict.results import FacePrediction as FacePrediction
    from fercli.workflows.predict.results import PictureResult as PictureResult
    from fercli.workflows.predict.results import PredictSummary as PredictSummary

_HOMES = {
    "FacePrediction": "fercli.workflows.predict.results",
    "FerError": "fercli.core.errors",
    "PictureResult": "fercli.workflows.predict.results",
    "PredictSummary": "fercli.workflows.predict.results",
    "build_model": "fercli.models.catalogue",
    "load_faces": "fercli.data.load",
    "load_model": "fercli.models.load",
    "predict": "fercli.workflows.predict.api",
    "predict_files": "fercli.workflows.predict.api",
    "read_predictions": "fercli.workflows.predict.output.readers",
}

__all__ = [
    "FacePrediction",
    "FerError",
    "PictureResult",
    "PredictSummary",
    "__version__",
    "build_model",
    "load_faces",
    "load_model",
    "predict",
    "predict_files",
    "read_predictions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fercli' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]

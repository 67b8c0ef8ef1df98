"""fercli: facial expression recognition, offline.

The names in `__all__` are the public ones; each is imported when it is first used, so that
`import fercli` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fercli.core.errors import FerError as FerError
    from fercli.data.sets import load_faces as load_faces
    from fercli.models.catalogue import build_model as build_model
    from fercli.models.loaded import load_model as load_model

_HOMES = {
    "FerError": "fercli.core.errors",
    "build_model": "fercli.models.catalogue",
    "load_faces": "fercli.data.sets",
    "load_model": "fercli.models.loaded",
}

__all__ = ["FerError", "__version__", "build_model", "load_faces", "load_model"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fercli' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)

"""Where models.yaml lies, and reading it. Needs no PyTorch: what only shows the catalogue starts at once."""

import os
from functools import lru_cache
from pathlib import Path

from fercli.core.catalogue import Catalogue
from fercli.core.catalogue_document import parse_catalogue
from fercli.core.errors import ModelError
from fercli.core.files import read_yaml

_PACKAGE = Path(__file__).resolve().parent.parent


def catalogue_path() -> Path:
    """The catalogue in force: FER_CATALOGUE, else the repository's beside the package, else the wheel's.

    An editable install has no copy inside the package, or a stale one: hence the order.
    """
    if named := os.environ.get("FER_CATALOGUE"):
        return Path(named)
    beside = _PACKAGE.parent / "models.yaml"
    # site-packages may hold anybody's models.yaml: only a checkout has our pyproject.toml next to it
    if beside.is_file() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    return _PACKAGE / "models.yaml"


def read_catalogue(path: Path | None = None) -> Catalogue:
    """Read a catalogue and check its fields; whether its architectures can be built is `load_catalogue`'s to say.

    Raises ModelError with every fault and its location.
    """
    source = path or catalogue_path()
    return _read(source, file_version(source))


def file_version(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None where it is not there. Reading a catalogue takes as long as a small network's
    training step, and settings are resolved against it again and again."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=4)
def _read(source: Path, version: tuple[int, int] | None) -> Catalogue:
    return parse_catalogue(read_yaml(source, "the catalogue", ModelError), str(source))

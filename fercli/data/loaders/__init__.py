"""One file a data set, or a format that any set may come in; `ferplus.py` holds other labels for one of them.

Every file here is imported, so that adding a data set takes no other edit.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.progress import ProgressCallback
from fercli.core.registry import Registry
from fercli.data.faceset import FRACTIONS, FaceSet
from fercli.data.sources import has_class_folders

#: Reads the face set that lies at a path, as the options say; the callback hears how far long work is.
Load = Callable[[Path, LoadOptions, ProgressCallback], FaceSet]


def never(_: Path) -> bool:
    """The `sniff` of a set that is found by its name alone."""
    return False


@dataclass(frozen=True, kw_only=True)
class Loader:
    """Reads face sets of one kind.

    `sniff` says whether a file or folder is of this kind, by its names and first bytes: `--data PATH` asks every
    loader. `load` obeys all options or raises UsageError: `add_subjects` and `refuse_detection` are there for it.
    """

    load: Load
    sniff: Callable[[Path], bool] = never


@dataclass(frozen=True, kw_only=True)
class DataSet(Loader):
    """A data set that has a name: what it is, where it comes from and where it is looked for."""

    summary: str
    #: where to get it, in words
    source: str
    #: what is looked for, in words
    layout: str
    #: on what terms it may be used
    terms: str
    #: what is looked for below the data root, the first that is there being taken; a set without any is built in
    paths: tuple[str, ...] = ()
    #: whether a folder at one of the paths is the set
    accepts_folder: Callable[[Path], bool] = has_class_folders
    #: fractions of val and of test, where the set comes without a split
    fractions: tuple[float, float] = FRACTIONS
    #: other sets whose faces are in it
    includes: tuple[str, ...] = ()
    #: the command that builds it, where there is one
    build: str = ""

    def find(self, root: Path) -> Path | None:
        """Where the set lies below a data root; None where it does not, and for one that is built in."""
        paths = (root / path for path in self.paths)
        return next((path for path in paths if path.is_file() or self.accepts_folder(path)), None)


#: The sets that `--data` takes by name.
SETS: Registry[DataSet] = Registry("data set")
#: The forms in which `--data` takes any set by its path.
FORMATS: Registry[Loader] = Registry("format")


def load_loaders() -> Registry[DataSet]:
    """The registry of named sets, with every loader of this folder in it and in FORMATS."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return SETS


def find_loader(path: Path) -> Loader:
    """The loader of a file or folder: the first whose `sniff` says yes, named sets before formats, each by name.

    Raises DataError where there is no such file or folder, it is a pipe or a device, or nothing recognises it.
    """
    load_loaders()
    if path.exists() and not path.is_dir() and not path.is_file():  # a pipe or a device may never end
        raise DataError(f"{path}: not a regular file")
    for loader in (*SETS.values(), *FORMATS.values()):
        if loader.sniff(path):
            return loader
    raise DataError(f"{path} is {'no face set' if path.exists() else 'not there'}")


def refuse_detection(options: LoadOptions, what: object) -> None:
    """Raise UsageError where faces are to be looked for in a set `what` that is made of them."""
    if options.detect:
        raise UsageError(f"--detect looks for faces in photographs, and {what} holds 48×48 faces: leave it out")

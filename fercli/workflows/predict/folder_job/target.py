"""The folder that takes the files: on this machine, or a prefix in an object store."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shutil import copyfile

from fercli.core.errors import FerError, PictureError, RunError
from fercli.core.files import written_whole
from fercli.core.lock import hold_lock
from fercli.faces.io.stores import describe_store_error, is_address, open_store, restore_address


class Target:
    """A folder by its path or address. All methods raise RunError where it cannot be written or read."""

    def __init__(self, text: str) -> None:
        self.in_store = is_address(Path(text))
        self.name = f"{restore_address(text).rstrip('/')}/"

    @property
    def everywhere(self) -> str:
        """The name that does not depend on the folder that a process works in."""
        return self.name if self.in_store else f"{os.path.abspath(self.name)}/"  # noqa: PTH100

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes of this machine out. A store has no locks: two jobs there write the same files."""
        return nullcontext() if self.in_store else hold_lock(Path(self.name))

    def list(self) -> set[str]:
        """The names of its files, without hidden ones; empty where it does not exist."""
        with self._explained("read"):
            if not self.in_store:
                folder = Path(self.name)
                names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
            else:
                store, inner = open_store(self.name)
                store.invalidate_cache()
                names = [found.rpartition("/")[2] for found in store.find(inner, maxdepth=1)]
            return {name for name in names if name and not name.startswith(".")}

    def take(self, file: Path, name: str) -> None:
        """Copy a file into the folder: it is there whole or not at all."""
        with self._explained("written"):
            if not self.in_store:
                with written_whole(Path(self.name) / name) as temporary:
                    copyfile(file, temporary)
            else:
                store, inner = open_store(self.name)
                store.put_file(str(file), f"{inner.rstrip('/')}/{name}")

    def fetch(self, name: str, file: Path) -> None:
        """Copy one of its files to this machine."""
        with self._explained("read"):
            if not self.in_store:
                copyfile(Path(self.name) / name, file)
            else:
                store, inner = open_store(self.name)
                store.get_file(f"{inner.rstrip('/')}/{name}", str(file))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""
        with self._explained("written"):
            for name in names:
                if not self.in_store:
                    os.unlink(Path(self.name) / name)  # noqa: PTH108
                else:
                    store, inner = open_store(self.name)
                    store.rm_file(f"{inner.rstrip('/')}/{name}")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except PictureError as error:
            raise RunError(f"{self.name} cannot be {what}: {error}") from error
        except FerError:
            raise
        except OSError as error:
            reason = str(describe_store_error(error)) if self.in_store else error.strerror or str(error)
            raise RunError(f"{self.name} cannot be {what}: {reason}") from error
        except Exception as error:  # what the stores raise has no class in common
            if not self.in_store:
                raise
            raise RunError(f"{self.name} cannot be {what}: {describe_store_error(error)}") from error

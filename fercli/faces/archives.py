"""The pictures in zip and tar archives, read without unpacking them onto the disk."""

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fercli.core.errors import PictureError
from fercli.faces.names import is_hidden, kind_of, natural_key
from fercli.faces.unpack import Archive, open_archive


@dataclass(frozen=True, slots=True)
class Member:
    """Where a picture lies: in which archive, and which of its entries it is, from 0 on."""

    archive: Path
    number: int


def list_members(path: Path) -> tuple[list[tuple[str, Member]], str]:
    """The pictures and videos in an archive by their names, and the fault that ended the list too early, else ''.

    They are told by their endings; hidden names and what lies in '__MACOSX' do not count. Names have slashes
    between their parts, and none before. A zip archive's come in natural order, a tar archive's as they lie in it. Of
    members of one name the last counts, as it does in unpacking. A packed tar archive is unpacked once for the list.
    """
    named: dict[str, Member] = {}
    fault = ""
    try:
        with closing(open_archive(path)) as archive:
            for number, raw in archive.names():
                name = _plain(raw)
                if kind_of(name) and not is_hidden(name):
                    named.pop(name, None)
                    named[name] = Member(path, number)
    except Exception as error:  # of a damaged archive, anything
        fault = f"the archive is damaged or only half there: {_reason(error)}"
    members = list(named.items())
    if path.suffix.lower() == ".zip":
        members.sort(key=lambda member: natural_key(Path(member[0])))
    return members, fault


class MemberReader:
    """Reads members, each archive by one handle that stays open until another one is asked for.

    Quick in the order of `list_members`. For one thread: its handle has one position.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: Archive | None = None

    def read(self, member: Member) -> bytes:
        """A member's content. Raises PictureError with a one-line reason that does not name it."""
        try:
            if self._archive is None or self._path != member.archive:
                self.close()
                self._archive, self._path = open_archive(member.archive), member.archive
            return self._archive.read(member.number)
        except PictureError:
            raise
        except MemoryError:
            raise PictureError("not enough memory to unpack it") from None
        except Exception as error:  # of a damaged archive, anything
            raise PictureError(f"cannot be unpacked: {_reason(error)}") from error

    def close(self) -> None:
        """Close the archive that is open, if one is."""
        if self._archive is not None:
            self._archive.close()
        self._archive = None


def _plain(name: str) -> str:
    """A member's name without empty parts and '.', and with a sign for characters that move a terminal's cursor."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", "/".join(parts))


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__

"""Names for things: how models.yaml and the command line reach code without import paths."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def suggest(name: str, known: Iterable[str]) -> str:
    """A clause for an error message: the nearest known names, or all of them when none is similar."""
    name, names = str(name), sorted(map(str, known))  # YAML makes numbers of some names
    if similar := find_similar(name, names):
        return f"did you mean {' or '.join(similar)}?"
    return f"there is {', '.join(names)}" if names else "there is none"


def find_similar(name: str, known: Iterable[str]) -> list[str]:
    """At most three of the known names that are much like `name`, the most alike first.

    Names that contain it, or that it contains, come before those that differ in some letters.
    """
    name, names = name.lower(), list(known)
    containing = [other for other in names if len(name) > 2 and (name in other or (len(other) > 2 and other in name))]
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return list(dict.fromkeys([*sorted(containing, key=lambda other: abs(len(other) - len(name))), *alike]))[:3]


class Registry(Mapping[str, T]):
    """A table of one kind of thing by name. Registering a name twice is a bug and raises."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that files a thing under `name` and hands it back unchanged."""

        def file(thing: T) -> T:
            if name in self._things:
                raise ValueError(f"{self.kind} '{name}' is registered twice")
            self._things[name] = thing
            return thing

        return file

    def __getitem__(self, name: str) -> T:
        """The thing of that name; a KeyError suggests the nearest names."""
        if name not in self._things:
            raise KeyError(f"no {self.kind} '{name}': {suggest(name, self._things)}")
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __len__(self) -> int:
        return len(self._things)

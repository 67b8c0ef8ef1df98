"""What a job of `fer predict` has met: counted, and told as it comes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.workflows.predict.results import PictureResult


@dataclass
class Tally:
    """What a job has met so far."""

    pictures: int = 0
    failed: int = 0
    interrupted: bool = False
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def faces(self) -> int:
        """Faces found."""
        return self.labels.total()

    def counting(self, results: "Iterator[PictureResult]") -> "Iterator[PictureResult]":
        """The same results, up to a Ctrl-C: what is finished is written and counted as usual. Failures go to
        standard error as they come, one line each."""
        try:
            for result in results:
                self._count(result)
                if result.status == "failed":
                    console.error(f"{result.source}: {result.message}")
                yield result
        except KeyboardInterrupt:
            self.interrupted = True

    def earlier(self, results: "Iterable[PictureResult]") -> set[str]:
        """Count what an earlier start has met. Gives the names of its sources."""
        from fercli.workflows.predict.results import source_text

        done = set()
        for result in results:
            self._count(result)
            done.add(source_text(result.source))
        return done

    def _count(self, result: "PictureResult") -> None:
        self.pictures += 1
        self.failed += result.status == "failed"
        self.labels.update(face.label for face in result.faces)

    def sentence(self, classes: tuple[str, ...]) -> str:
        """The closing line, e.g. '3 pictures, 8 faces: 6 happy, 2 neutral; 1 failed'."""
        named = [*classes, *sorted(self.labels.keys() - set(classes))]  # 'unsure' is no class
        counts = ", ".join(f"{self.labels[name]} {name}" for name in named if self.labels[name])
        line = f"{count(self.pictures, 'picture')}, {count(self.faces, 'face')}"
        return line + (f": {counts}" if counts else "") + (f"; {self.failed} failed" if self.failed else "")


def count(number: int, thing: str) -> str:
    """E.g. '1 face', '2 faces'."""
    return f"{number} {thing}{'s'[: number != 1]}"

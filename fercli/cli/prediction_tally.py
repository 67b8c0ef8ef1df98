"""What a job of `fer predict` has met, counted while it runs and said in its closing lines."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.workflows.predict.results import PictureResult
    from fercli.workflows.predict.track_summary import VideoSummary


@dataclass
class Tally:
    """What a job has met so far."""

    pictures: int = 0
    failed: int = 0
    interrupted: bool = False
    labels: Counter[str] = field(default_factory=Counter)
    videos: "dict[Path, VideoSummary]" = field(default_factory=dict)
    last: "PictureResult | None" = None

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
                    console.error(f"{console.one_line(str(result.source))}: {result.message}")
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
        from fercli.faces.io.folders import guess_kind
        from fercli.workflows.predict.track_summary import VideoSummary

        self.last = result
        self.failed += result.status == "failed"
        self.labels.update(face.label for face in result.faces)
        if guess_kind(result.source.name) != "video":
            self.pictures += 1
        else:
            self.videos.setdefault(result.source, VideoSummary(result.source)).add(result)

    def sentence(self, classes: tuple[str, ...]) -> str:
        """The closing line, e.g. '3 pictures, 8 faces: 6 happy, 2 neutral; 1 failed', or for a video
        '1 video (40 frames, 2 people), 78 faces: 78 happy'."""
        named = [*classes, *sorted(self.labels.keys() - set(classes))]  # 'unsure' is no class
        counts = ", ".join(f"{self.labels[name]:,} {name}" for name in named if self.labels[name])
        things = [count(self.pictures, "picture")] if self.pictures or not self.videos else []
        if self.videos:
            frames = count(sum(video.frames for video in self.videos.values()), "frame")
            people = sum(len(video.people) for video in self.videos.values())
            inside = f"{frames}, {people:,} {'person' if people == 1 else 'people'}"
            things.append(f"{count(len(self.videos), 'video')} ({inside})")
        line = ", ".join([*things, count(self.faces, "face")])
        return line + (f": {counts}" if counts else "") + (f"; {self.failed} failed" if self.failed else "")

    def stopped(self, sources: int) -> str:
        """Where an interrupt came, of so many sources."""
        from fercli.core.times import clock

        if self.last is not None and self.last.time is not None:
            return f"stopped at {clock(self.last.time)} of {console.one_line(str(self.last.source))}"
        if self.videos:
            return f"stopped after {self.pictures + len(self.videos):,} of {sources:,} pictures and videos"
        return f"stopped after {count(self.pictures, 'picture')} of {sources:,}"


def count(number: int, thing: str) -> str:
    """A number of things, e.g. '1 picture' and '2 pictures'."""
    return f"{number:,} {thing}{'s'[: number != 1]}"

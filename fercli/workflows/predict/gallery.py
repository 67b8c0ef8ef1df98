"""What is kept of the faces of a long job, so that they can be looked at: a bounded choice for each label."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shown:
    """One face to look at: a JPEG, the picture it comes from as typed, its number there, the confidence.

    `time` is that of a video's frame, in seconds.
    """

    thumbnail: bytes = field(repr=False)
    source: str
    number: int
    confidence: float
    time: float | None = None


class Choice:
    """Of one label's faces the surest, the least sure and some at random: at most `room` of each.

    Where they are `3 · room` at most, all of them. The draw is by `seed`: the same faces give the same choice.
    """

    def __init__(self, room: int, seed: str) -> None:
        self.faces = 0
        self._room, self._seed = room, seed
        self._draw = random.Random(seed)
        # (rank, minus the face's place in the job, face): the first of equals stays
        self._surest: list[tuple[float, int, Shown]] = []
        self._least: list[tuple[float, int, Shown]] = []
        self._random: list[tuple[int, Shown]] = []

    def offer(self, confidence: float, make: Callable[[], Shown]) -> None:
        """Take one face more into account; `make` is called only if it is kept."""
        place = self.faces
        self.faces += 1
        made: list[Shown] = []

        def shown() -> Shown:
            if not made:
                made.append(make())
            return made[0]

        for kept, rank in ((self._surest, confidence), (self._least, -confidence)):
            if len(kept) < self._room:
                heapq.heappush(kept, (rank, -place, shown()))
            elif rank > kept[0][0]:
                heapq.heapreplace(kept, (rank, -place, shown()))
        # reservoir sampling: every face has the same chance to be among them in the end
        slot = place if place < 3 * self._room else self._draw.randrange(self.faces)
        if slot == len(self._random):
            self._random.append((place, shown()))
        elif slot < 3 * self._room:
            self._random[slot] = (place, shown())

    def all(self) -> list[Shown] | None:
        """All faces, the surest first, where none was left out."""
        if self.faces > 3 * self._room:
            return None
        return [face for _, face in sorted(self._random, key=lambda one: (-one[1].confidence, one[0]))]

    def surest(self) -> list[Shown]:
        """The faces with the highest confidence, the highest first."""
        return [face for *_, face in sorted(self._surest, key=lambda one: (-one[0], -one[1]))]

    def least_sure(self) -> list[Shown]:
        """The faces with the lowest confidence, the lowest first."""
        return [face for *_, face in sorted(self._least, key=lambda one: (-one[0], -one[1]))]

    def at_random(self) -> list[Shown]:
        """Faces drawn at random, the surest first."""
        # not simply the first of the reservoir: a slot has its first face or a late one, never another early one
        drawn = random.Random(f"{self._seed}, drawn").sample(self._random, min(self._room, len(self._random)))
        return [face for _, face in sorted(drawn, key=lambda one: (-one[1].confidence, one[0]))]

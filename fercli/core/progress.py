"""How long work speaks to whoever watches: the command line draws it, a script may ignore it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Hears how far a long piece of work is: done, total, what is being done.
ProgressCallback = Callable[[int, int, str], None]


def no_progress(done: int, total: int, what: str) -> None:
    """A callback that ignores what it is told."""


@dataclass(frozen=True)
class EpochRow:
    """One epoch's figures: a line of history.csv. Losses in nats, accuracies of 0 to 1, seconds of wall time."""

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


class Listener:
    """Hears what training does. This one stays silent; override what is wanted."""

    def begun(self, folder: Path) -> None:
        """The run folder stands: from here on a broken-off training can be resumed."""

    def say(self, text: str) -> None:
        """A line for people."""

    def loading(self, done: int, total: int, what: str) -> None:
        """Faces are being looked for in photographs: pictures done of all, before training begins."""

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        """Some batches on: steps done of the whole training's total, this epoch's running mean loss and
        accuracy, faces per second."""

    def epoch(self, row: EpochRow, best: bool) -> None:
        """An epoch ended; `best` when its weights are the ones to keep so far."""

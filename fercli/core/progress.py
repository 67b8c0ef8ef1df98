"""How work speaks to whoever watches: the command line draws it, a script may ignore it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Hears how far a long piece of work is: done, total, what is being done. `Progress.update` is one.
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


class Progress:
    """Hears how a piece of work goes. This one stays silent; override what is wanted."""

    def say(self, text: str) -> None:
        """A line for people."""

    def update(self, done: float, total: float, what: str) -> None:
        """`done` of `total` pieces of work are finished: pictures read, folds trained. `what` names the work."""

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        """Some batches of a training on: steps done of the whole training's total, this epoch's running mean loss and
        accuracy, faces per second."""

    def epoch(self, row: EpochRow, best: bool) -> None:
        """An epoch ended; `best` when its weights are the ones to keep so far."""


#: For whoever does not watch.
SILENT = Progress()


@contextmanager
def explain_interrupt(progress: Progress, explain: Callable[[], str]) -> Iterator[None]:
    """Where Ctrl-C ends what is inside, say what is left and how to continue."""
    try:
        yield
    except KeyboardInterrupt:
        progress.say(explain())
        raise

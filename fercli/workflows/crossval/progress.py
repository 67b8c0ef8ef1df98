"""How a cross-validation speaks to whoever watches."""

from dataclasses import dataclass

from fercli.core.progress import Listener
from fercli.workflows.crossval.plan import Task


@dataclass(frozen=True)
class FoldDone:
    """A fold that came to its end: its own test accuracy and that of all faces of its method tested so far, both 0 to
    1; how many folds are done of how many."""

    task: Task
    accuracy: float
    running: float
    done: int
    total: int


class CrossvalListener(Listener):
    """Hears what a cross-validation does. This one stays silent; override what is wanted."""

    def planned(self, done: int, total: int, trying: bool = False) -> None:
        """Training begins: so many folds of all are done already. Where `trying`, settings are tried on all of them
        first, and this is called again for the folds themselves."""

    def share(self, folds: float) -> None:
        """Folds done, those under way counted by their shares."""

    def tried(self, task: Task, done: int, total: int) -> None:
        """A fold tried its settings, as have so many of all."""

    def fold(self, result: FoldDone) -> None:
        """A fold came to its end."""


class FoldListener(Listener):
    """Hears one process' trainings for a cross-validation: how far the fold is, and what should be said, once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def tell(self, kind: str, value: object) -> None:
        """Pass on 'share' (0 to 1) or 'say' (a line)."""

    def say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.tell("say", text)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self.tell("share", done / total)

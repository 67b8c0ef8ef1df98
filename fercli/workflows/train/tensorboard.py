"""A run's figures in TensorBoard's format, in its folder."""

from pathlib import Path
from typing import Any

from fercli.core.errors import UsageError
from fercli.core.progress import EpochRow, Progress


def need_tensorboard() -> Any:
    """PyTorch's writer. Raises UsageError where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UsageError("--tensorboard needs TensorBoard: pip install tensorboard") from None
    return SummaryWriter


class TensorBoardLog(Progress):
    """Writes each epoch's losses, accuracies and rate below `folder`, and passes everything on."""

    def __init__(self, progress: Progress, folder: Path) -> None:
        self._progress = progress
        self._writer = need_tensorboard()(str(folder))

    def say(self, text: str) -> None:
        self._progress.say(text)

    def update(self, done: float, total: float, what: str) -> None:
        self._progress.update(done, total, what)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._progress.step(epoch, done, total, loss, accuracy, rate)

    def epoch(self, row: EpochRow, best: bool) -> None:
        figures = {
            "loss/train": row.train_loss, "loss/val": row.val_loss, "accuracy/train": row.train_accuracy,
            "accuracy/val": row.val_accuracy, "lr": row.lr, "seconds": row.seconds,
        }  # fmt: skip
        for name, value in figures.items():
            self._writer.add_scalar(name, value, row.epoch)
        self._writer.flush()
        self._progress.epoch(row, best)

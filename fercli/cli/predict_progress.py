"""What `fer predict` shows while it works: a bar, failures as they come, and the results where no file takes them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fercli.cli import console
from fercli.cli.progress import TerminalProgress
from fercli.core.text import to_printable
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.run import JobProgress

if TYPE_CHECKING:
    from fercli.workflows.predict.output import Form


class Terminal(TerminalProgress, JobProgress):
    """Shows a job on the terminal. `form` is that of the results, 'table' or one of those that files have; `output`
    the file that takes them, if any."""

    def __init__(self, form: "Form | Literal['table']", output: Path | None) -> None:
        super().__init__()
        self._form, self._output = form, output

    def update(self, done: float, total: float, what: str) -> None:
        # rows that appear on the same terminal would run into a bar
        if self._form == "table" or self._output is not None or not sys.stdout.isatty():
            super().update(done, total, what)

    def failed(self, result: PictureResult) -> None:
        console.error(f"{to_printable(str(result.source))}: {result.message}")

    def show(self, results: Iterator[PictureResult], classes: tuple[str, ...]) -> None:
        results = self._without_bar_after(results)
        if self._form == "table":
            from fercli.cli.predict_tables import print_tables

            print_tables(results, classes)
            return
        from fercli.workflows.predict.output.writers import FORMATTERS

        for text in FORMATTERS[self._form](results, classes):
            console.write_data(text)

    def _without_bar_after(self, results: Iterator[PictureResult]) -> Iterator[PictureResult]:
        """The same results; the bar is gone before a table follows them."""
        try:
            yield from results
        finally:
            self.stop_bar()

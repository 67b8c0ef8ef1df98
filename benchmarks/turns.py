"""Two long works measured side by side: each in a process of its own, a turn each, so that a machine that slows
down slows both."""

from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

#: What makes the turns of one work: a function that can be imported, and its arguments.
Work = tuple[Callable[..., Iterator[Any]], tuple[Any, ...]]


class Turns:
    """Works that stand ready: `take(i)` lets number i take one turn and gives what it yields."""

    def __init__(self, *works: Work) -> None:
        context = get_context("spawn")
        self._ends: list[Connection] = []
        for work, arguments in works:
            here, there = context.Pipe()
            context.Process(target=_serve, args=(there, work, arguments), daemon=False).start()
            self._ends.append(here)

    def __enter__(self) -> "Turns":
        return self

    def take(self, number: int) -> Any:
        """One turn of a work. Raises EOFError where its process has died, which says why on standard error."""
        self._ends[number].send(True)
        return self._ends[number].recv()

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.send(False)
            end.close()


def _serve(connection: Connection, work: Callable[..., Iterator[Any]], arguments: tuple[Any, ...]) -> None:
    turns = work(*arguments)
    try:
        while connection.recv():
            connection.send(next(turns))
    except EOFError:  # whoever asked has gone
        pass

"""What a refusal must look like."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from benchmarks.faults.worker import find_fault
from fercli.core.errors import FerError

Refused = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def refused() -> Refused:
    """A block that must end in a FerError of one short printable line that has this text in it."""

    @contextmanager
    def check(text: str) -> Iterator[None]:
        with pytest.raises(FerError) as error:
            yield
        message = str(error.value)
        assert find_fault(message) is None, message[:1000]
        assert text in message

    return check

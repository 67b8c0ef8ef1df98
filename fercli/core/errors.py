"""What can go wrong, as a tree. The command line turns each into one line and an exit code.

FerError
├── UsageError      what was asked for makes no sense or does not exist      exit 2
│   ├── DataError       a data set is missing, damaged or of another kind
│   ├── ModelError      a model, recipe or weights file is unknown or does not fit
│   └── RunError        a run folder cannot be written, continued or read
├── PictureError    one picture cannot be read; the others go on             exit 1
└── MachineError        something this machine lacks (a library, a device)   exit 2
"""


class FerError(Exception):
    """Any fault that is the user's or the machine's rather than a bug.

    The message says what was wrong, what exists, and what to type next.
    """

    exit_code = 2


class UsageError(FerError):
    """What was asked for makes no sense or does not exist."""


class DataError(UsageError):
    """A data set is missing, damaged or of another kind than asked for."""


class ModelError(UsageError):
    """A model, recipe, catalogue or weights file is unknown, invalid or does not fit."""


class RunError(UsageError):
    """A run folder cannot be written, continued or read."""


class PictureError(FerError):
    """One picture cannot be read. The job goes on with the next one."""

    exit_code = 1


class MachineError(FerError):
    """This machine lacks something: a shared library, a device, room on the disk."""


def reason_of(error: Exception) -> str:
    """The first line of what went wrong, at most 200 printable characters of it, or its kind where it says nothing."""
    from fercli.core.text import shorten  # which needs the errors above

    return shorten(str(error).strip().partition("\n")[0] or type(error).__name__, 200)

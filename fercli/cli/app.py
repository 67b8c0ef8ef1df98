"""The command `fer`: its commands put together, and every error turned into one line and an exit code."""

import _thread
import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from fercli.cli import console
from fercli.core.errors import FerError

#: Each command, in the order of the help: its module, the function (or Typer of commands) that it is, and its line in
#: the help, which stands here so that `fer --help` imports no command.
_COMMANDS = {
    "predict": ("fercli.cli.predict", "predict", "Predict the expression of every face in pictures and videos."),
    "train": ("fercli.cli.train", "train", "Train a network on a face set."),
    "eval": ("fercli.cli.evaluate", "evaluate", "Measure a trained network on a face set."),
    "crossval": ("fercli.cli.crossval", "crossval", "Cross-validate networks on a face set."),
    "search": ("fercli.cli.search", "search", "Search for the settings of a recipe and the arguments of a network."),
    "export": ("fercli.cli.export", "export", "Export a network to a file that runs without this program."),
    "models": ("fercli.cli.models", "models", "List the networks, or show one in full."),
    "data": ("fercli.cli.data", "data_app", "List, show and check face sets, and build fergit."),
    "runs": ("fercli.cli.runs", "runs_app", "List the runs of fer train, or compare some."),
    "doctor": ("fercli.cli.doctor", "doctor", "Check this installation, and say what is missing."),
}


class _Commands(TyperGroup):
    """The commands, each imported when it is typed: none loads what another needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # where it is unknown, all of them: the error suggests those that are there
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.commands[name] = _load(name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


def _load(name: str) -> Any:
    """A command by its name, as Typer runs it."""
    module, attribute, _ = _COMMANDS[name]
    command = getattr(import_module(module), attribute)
    if isinstance(command, typer.Typer):
        return get_command(command)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(command)
    return get_command(alone)


app = typer.Typer(
    name="fer",
    cls=_Commands,
    help="Facial expression recognition, offline: train, evaluate and run the networks of published papers.",
    no_args_is_help=True,
    # plain help starts in half the time of a drawn one
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from fercli import __version__

        typer.echo(f"fercli {__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    catalogue: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Use this models.yaml. Default: FER_CATALOGUE, else the one that comes with fercli."
        ),
    ] = None,
) -> None:
    if catalogue:
        os.environ["FER_CATALOGUE"] = catalogue


def main() -> None:
    """Run the command line.

    Exit codes: 0 all well, 1 some input failed, 2 wrong usage, 130 ended by Ctrl-C, 143 ended by SIGTERM.
    """
    terminated = False

    def terminate(*_: object) -> None:
        nonlocal terminated
        terminated = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    _speak_utf8()
    try:
        with _lost_interrupts_again(lambda: signal.SIGTERM if terminated else signal.SIGINT):
            code = app(prog_name="fer", standalone_mode=False)
        sys.exit(143 if terminated and code == 130 else code)
    except KeyboardInterrupt:  # before Typer, which gives 130 for one in a command, has built the command
        sys.exit(143 if terminated else 130)
    except BrokenPipeError:
        # whoever read standard output has gone (`fer models | head`): nothing to tell anyone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as fault:
        if type(fault).__name__ == "NoArgsIsHelpError":
            fault.show()  # type: ignore[attr-defined]
            sys.exit(2)
        told = _describe(fault)
        if told is None or (console.debug and not _is_usage(fault)):
            raise
        console.error(told)
        sys.exit(getattr(fault, "exit_code", 2))
    finally:
        _end_quietly()


@contextmanager
def _lost_interrupts_again(which: Callable[[], signal.Signals]) -> Iterator[None]:
    """An interrupt in a destructor or a callback of Python's is lost, with a traceback: let it come once more, as the
    signal that it was. Where a job runs in the background of a script, SIGINT is ignored and could not stand for it."""
    before = sys.unraisablehook

    def handle(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            before(lost)
            return
        again = threading.Timer(0.01, _thread.interrupt_main, [which()])
        again.daemon = True
        again.start()

    sys.unraisablehook = handle
    try:
        yield
    finally:
        sys.unraisablehook = before


def _end_quietly() -> None:
    """Let a signal that comes while Python takes the process down end it, without a traceback from there."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # only then: whoever calls `main` from Python keeps Ctrl-C
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)


def _is_usage(fault: Exception) -> bool:
    """Whether Typer could not make sense of what was typed. Its errors' classes are not public."""
    return hasattr(fault, "format_message")


def _describe(fault: Exception) -> str | None:
    """What to say of a fault that is the user's or the machine's; None for a bug, whose traceback is wanted."""
    if isinstance(fault, FerError):
        return str(fault)
    if _is_usage(fault):
        from fercli.cli.usage import describe_usage_error

        typed = [word for word in sys.argv[1:] if word in _COMMANDS]
        return describe_usage_error(fault, " ".join(["fer", *typed[:1]]))
    if isinstance(fault, OSError):
        return f"{fault.filename or 'the system'}: {fault.strerror or fault}"
    if isinstance(fault, ModuleNotFoundError) and fault.name in ("torch", "torchvision", "facenet_pytorch"):
        return "this needs PyTorch, which is not installed: pip install torch torchvision facenet-pytorch==2.5.3"
    if isinstance(fault, ModuleNotFoundError) and fault.name in ("onnx", "onnxscript"):
        return "this needs onnx and onnxscript, which are not installed: pip install onnx onnxscript"
    # the container leaves both out; SciPy comes with scikit-learn
    if isinstance(fault, ModuleNotFoundError) and (fault.name or "").partition(".")[0] in ("sklearn", "scipy"):
        return "this needs scikit-learn, which is not installed: pip install scikit-learn"
    # torch's own error goes by its name: importing torch for it would slow down every start
    if isinstance(fault, MemoryError) or type(fault).__name__ == "OutOfMemoryError":
        return "not enough memory: take fewer faces at once (--batch-size), or another --device"
    return None


def _speak_utf8() -> None:
    """Windows' code pages lack letters that file names and tables have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")

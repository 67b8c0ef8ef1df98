"""The command `fer`: its commands put together, and every error turned into one line and an exit code."""

import os
import sys
from typing import Annotated

import typer

from fercli.cli import console
from fercli.cli.evaluate import evaluate
from fercli.cli.models import models
from fercli.cli.predict import predict
from fercli.cli.train import train
from fercli.core.errors import FerError

app = typer.Typer(
    name="fer",
    help="Facial expression recognition, offline: train, evaluate and run the networks of five papers.",
    no_args_is_help=True,
    add_completion=False,
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
) -> None:
    pass


app.command("predict")(predict)
app.command("train")(train)
app.command("eval")(evaluate)
app.command("models")(models)


def main() -> None:
    """Run the command line. Exit codes: 0 all well, 1 some input failed, 2 wrong usage, 130 interrupted."""
    _speak_utf8()
    try:
        app()
    except FerError as fault:
        if console.debug:
            raise
        console.error(str(fault))
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        # whoever read standard output has gone (`fer models | head`): nothing to tell anyone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _speak_utf8() -> None:
    """Windows' code pages lack letters that file names and tables have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")

"""fer data: what sets there are, what is in them, whether they can be trusted, and building one."""

import typer

from fercli.cli.data.build import build
from fercli.cli.data.check import check
from fercli.cli.data.list import list_sets
from fercli.cli.data.show import show

data_app = typer.Typer(
    name="data",
    help="List, show and check face sets, and build fergit.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)
data_app.command("list")(list_sets)
data_app.command("show")(show)
data_app.command("check")(check)
data_app.command("build")(build)

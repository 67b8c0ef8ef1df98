"""fer doctor: whether this installation works, what it lacks, and what to type."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from fercli.workflows.doctor import Finding


def doctor(root: options.Root = None, as_json: options.Json = False, debug: options.Debug = False) -> None:
    """Check this installation, and say what is missing.

    Versions, devices, face sets, and one picture predicted for real. What is missing is optional and comes with the
    command that adds it. The exit code is 1 if something is broken.
    """
    from dataclasses import asdict

    from fercli.workflows.doctor import examine

    with console.without_chatter():
        findings = list(examine(root))
    broken = [finding for finding in findings if finding.state == "broken"]
    if as_json:
        console.print_json([asdict(finding) for finding in findings])
        raise typer.Exit(1 if broken else 0)
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    styles = {"ok": "green", "missing": "yellow", "broken": "bold red"}
    for finding in findings:
        text = Text(finding.text)
        if finding.hint:
            text.append(f"\n{finding.hint}", "dim")
        table.add_row(Text(finding.name, "bold"), Text(finding.state, styles[finding.state]), text)
    console.out().print(table)
    console.note(_conclude(findings))
    raise typer.Exit(1 if broken else 0)


def _conclude(findings: "Sequence[Finding]") -> str:
    """What all of it comes to, in one line."""
    if broken := ", ".join(finding.name for finding in findings if finding.state == "broken"):
        return f"broken: {broken}"
    if any(finding.name == "training" and finding.state == "missing" for finding in findings):
        return "predict, data and models have all that they need; the other commands need what training lacks"
    return "everything that fer needs is there"

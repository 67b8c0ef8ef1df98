"""fer doctor: whether this installation works, what it lacks, and what to type."""

import typer

from fercli.cli import console, options


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
    names = ", ".join(finding.name for finding in broken)
    console.note(f"broken: {names}" if broken else "everything that fer needs is there")
    raise typer.Exit(1 if broken else 0)

"""fer data list: the sets that have a name, and whether they are here."""

from fercli.cli import console, options


def list_sets(root: options.Root = None, as_json: options.Json = False, debug: options.Debug = False) -> None:
    """List the named sets: what each is, what it needs, and whether it is found."""
    from rich.table import Table
    from rich.text import Text

    from fercli.data.load import SETS, data_root

    where = data_root(root)
    found = {name: known.find(where) for name, known in SETS.items()}
    if as_json:
        console.print_json(
            {
                name: {
                    "found": str(found[name]) if found[name] else None,
                    "built_in": not known.paths,
                    "summary": known.summary,
                    "layout": known.layout,
                    "source": known.source,
                    "build": known.build or None,
                    "terms": known.terms,
                }
                for name, known in SETS.items()
            }
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 1, 0))
    for heading in ("set", "here", "what it is, and what is looked for"):
        table.add_column(heading, overflow="fold")  # a long name is needed whole: it is what to search for
    for name, known in SETS.items():
        path = found[name]
        here = Text("built in" if not known.paths else "yes" if path else "no", "" if path else "dim")
        if path:
            here = Text("yes", "green")
        about = Text(known.summary)
        if path:
            about.append(f"\nat {path}", "dim")
        elif known.paths:
            build = f"; or built: {known.build}" if known.build else ""
            about.append(f"\nlooked for: {known.layout}\nto be had from: {known.source}{build}", "dim")
        table.add_row(Text(name, "bold"), here, about)
    console.out().print(table)
    console.note(f"looked for in {where.absolute()} (--root or FER_DATA changes that); fer data show NAME shows one")

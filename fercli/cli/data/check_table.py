"""What a check found as a table: the worst first, wide or narrow."""

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fercli.workflows.check.issues import Fault
    from fercli.workflows.check.run import Check

#: Columns of a terminal from which on meaning and examples have columns of their own.
_WIDE = 110
#: Examples of each kind of fault, and faces named of each.
_EXAMPLES, _NAMED = 2, 3


def check_table(check: "Check", width: int) -> Table:
    """A row for each kind of fault that was found: how much, what it means, and examples."""
    wide = width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=wide, padding=(0, 2, 0, 0))
    for heading in ("fault", "found", "what it means", "for example")[: 4 if wide else 1]:
        table.add_column(heading)
    for fault in check.faults:
        if not fault.count:
            continue
        title, examples = Text(fault.title, "bold"), _examples(check, fault)
        if wide:
            table.add_row(title, Text(fault.found), fault.meaning, Text("\n".join(examples), "dim"))
        else:
            table.add_row(Text.assemble(title, ": ", fault.found))
            for line in (fault.meaning, *(f"e.g. {example}" for example in examples)):
                table.add_row(Padding(Text(line, "dim"), (0, 0, 0, 2)))
    return table


def not_found(check: "Check") -> str:
    """The kinds that were looked for in vain, in one line."""
    kinds = ", ".join(fault.title for fault in check.faults if not fault.count)
    if all(fault.count for fault in check.faults):
        return "every kind of fault that was looked for was found"
    return f"not found: {kinds}" if any(fault.count for fault in check.faults) else f"nothing is wrong: no {kinds}"


def _examples(check: "Check", fault: "Fault") -> list[str]:
    """The first groups in a few words: 'Training_81 = PublicTest_29540', labels where they differ, people by name."""
    faces = check.faces
    sign = " ≈ " if fault.kind.startswith("near") else " = "
    lines = []
    for number, group in enumerate(fault.groups[:_EXAMPLES]):
        members = check.telling(fault, group)
        if fault.kind == "people" and faces.subjects:
            lines.append(faces.subjects[members[0]])
            continue
        labels = [f" {faces.classes[faces.labels[face]]}" if fault.kind == "contradictions" else "" for face in members]
        names = [faces.ids[face] + label for face, label in zip(members, labels, strict=True)]
        remark = f": {fault.remarks[number]}" if fault.remarks else ""
        lines.append(sign.join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "") + remark)
    return lines

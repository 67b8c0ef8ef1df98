"""What a check found as a table: the worst first, wide or narrow."""

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fercli.workflows.check.issues import Issue
    from fercli.workflows.check.run import Check

#: Columns of a terminal from which on meaning and examples have columns of their own.
_WIDE = 110
#: Examples of each kind of issue, and faces named of each.
_EXAMPLES, _NAMED = 2, 3


def check_table(check: "Check", width: int) -> Table:
    """A row for each kind of issue that was found: how much, what it means, and examples."""
    wide = width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=wide, padding=(0, 2, 0, 0))
    for heading in ("fault", "found", "what it means", "for example")[: 4 if wide else 1]:
        table.add_column(heading)
    for issue in check.issues:
        if not issue.count:
            continue
        title, examples = Text(issue.title, "bold"), _examples(check, issue)
        if wide:
            table.add_row(title, Text(issue.found), issue.meaning, Text("\n".join(examples), "dim"))
        else:
            table.add_row(Text.assemble(title, ": ", issue.found))
            for line in (issue.meaning, *(f"e.g. {example}" for example in examples)):
                table.add_row(Padding(Text(line, "dim"), (0, 0, 0, 2)))
    return table


def not_found(check: "Check") -> str:
    """The kinds that were looked for in vain, in one line."""
    kinds = ", ".join(issue.title for issue in check.issues if not issue.count)
    if all(issue.count for issue in check.issues):
        return "every kind of issue that was looked for was found"
    return f"not found: {kinds}" if any(issue.count for issue in check.issues) else f"nothing is wrong: no {kinds}"


def _examples(check: "Check", issue: "Issue") -> list[str]:
    """The first groups in a few words: 'Training_81 = PublicTest_29540', labels where they differ, people by name."""
    faces = check.faces
    sign = " ≈ " if issue.kind.startswith("near") else " = "
    lines = []
    for number, group in enumerate(issue.groups[:_EXAMPLES]):
        members = check.pick_examples(issue, group)
        if issue.kind == "people" and faces.subjects:
            lines.append(faces.subjects[members[0]])
            continue
        labels = [f" {faces.classes[faces.labels[face]]}" if issue.kind == "contradictions" else "" for face in members]
        names = [faces.ids[face] + label for face, label in zip(members, labels, strict=True)]
        remark = f": {issue.remarks[number]}" if issue.remarks else ""
        lines.append(sign.join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "") + remark)
    return lines

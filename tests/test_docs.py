"""README and docs: short enough to be read, links that lead somewhere, commands that can be typed."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from fercli.cli.app import app
from fercli.core.labels import OTHER_NAMES
from fercli.models.catalogue import read_catalogue

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    README,
    *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY")),
    *(ROOT / "examples").rglob("*.md"),
    *DOCS,
]
#: How many words a README may have outside of code blocks and tables.
README_WORDS = 1200

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Code blocks that hold what is typed; console ones mark it with a dollar sign and have the output too.
_SHELL = {"", "sh", "bash", "console"}
#: What a shell takes for the end of a command.
_ENDS = {"|", "||", "&&", "&", ";", ">", ">>", "<"}
#: Pages of one command, with the command's words; docs/data.md has several.
_COMMANDS = {
    "predict.md": ["predict"],
    "train.md": ["train"],
    "eval.md": ["eval"],
    "crossval.md": ["crossval"],
    "search.md": ["search"],
    "export.md": ["export"],
    "models.md": ["models"],
    "doctor.md": ["doctor"],
    "runs.md": ["runs list", "runs compare"],
    "data.md": ["data list", "data show", "data check", "data build"],
}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """A page without code blocks, tables and comments."""
    text = re.sub(r"<!--.*?-->", "", _FENCE.sub("", text), flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


def anchor(heading: str) -> str:
    """What a heading is linked by, on GitHub and in the built pages."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def commands(text: str) -> Iterator[str]:
    """Every `fer …` that a page shows, in code blocks and in the text."""
    for language, block in _FENCE.findall(text):
        if language in _SHELL:
            lines = re.sub(r"\\\n\s*", "", block).splitlines()
            yield from (line for line in lines if re.match(r"(\$ )?(\S+=\S+ )*(\S*/)?fer ", line))
            yield from (f"fer {rest}" for line in lines for rest in re.findall(r"(?:&&|\|) (?:\S*/)?fer (.+)", line))
    yield from re.findall(r"`((?:\w+=\S+ )?fer [^`]+)`", _FENCE.sub("", text).replace("\n", " "))


def words(command: str) -> list[str]:
    """The words after `fer`, up to a comment or to the next command."""
    lexer = shlex.shlex(command.replace("…", ""), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    typed = list(lexer)
    typed = typed[next(index for index, word in enumerate(typed) if word.rpartition("/")[2] == "fer") + 1 :]
    return typed[: next((index for index, word in enumerate(typed) if word in _ENDS), len(typed))]


@cache
def program() -> Any:
    """The command line as a tree of commands, all of them loaded."""
    tree: Any = typer.main.get_command(app)
    for name in tree.list_commands(None):
        tree.get_command(None, name)
    return tree


def subcommand(typed: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the words behind it."""
    command, rest = program(), list(typed)
    if rest[:1] == ["--catalogue"]:
        rest = rest[2:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no command '{rest[0]}'"
        command = command.commands[rest.pop(0)]
    return command, rest


def check(command: str) -> None:
    """Raises what the command line raises for commands, flags and values that there are not."""
    found, rest = subcommand(words(command))
    # these act as soon as they are met
    acting = ("--help", "--version", "--install-completion", "--show-completion")
    asked = [word for word in rest if word not in acting]
    if asked:  # without anything behind it a command is spoken of, not typed
        found.make_context(found.name, asked).close()


def flags(command: str) -> set[str]:
    """Every flag of a command."""
    found, _ = subcommand(command.split())
    return {
        flag for parameter in found.params for flag in (*parameter.opts, *parameter.secondary_opts) if flag[0] == "-"
    }


def test_the_readme_can_be_read_in_minutes():
    assert len(prose(README.read_text(encoding="utf-8")).split()) < README_WORDS


def test_the_line_that_ci_runs_is_there():
    assert re.search(r"^python3? .*\[test\].*pytest", README.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, part = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{target} does not exist"
        if part:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert part in map(anchor, headings), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_can_be_typed(page):
    for command in commands(page.read_text(encoding="utf-8")):
        try:
            check(command)
        except Exception as error:
            pytest.fail(f"{command}: {error}")


@pytest.mark.parametrize(
    "command", ["fer predict --no-such-flag", "fer predict a.jpg --format xml", "fer train --epochs N", "fer fly"]
)
def test_a_command_that_cannot_be_typed_is_noticed(command):
    with pytest.raises(Exception, match=r"."):
        check(command)


def test_commands_are_found_wherever_they_stand():
    text = (
        "`fer models`\n```\nfer predict a.jpg  # one\nx && .venv/bin/fer predict --demo\n```\n```python\nfer = 1\n```\n"
    )
    assert [words(command) for command in commands(text)] == [["predict", "a.jpg"], ["predict", "--demo"], ["models"]]


@pytest.mark.parametrize("page", _COMMANDS)
def test_a_command_s_page_has_all_its_options_and_no_others(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`-[^|]+) \|", text, re.MULTILINE)
    listed = {flag for row in rows for flag in re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", row)}
    real = set().union(*map(flags, _COMMANDS[page])) - {"--help", "-h"}
    assert listed == real


def test_the_list_of_networks_is_the_catalogue():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)`([^|]*) \| ([\d,]+) \| ([\d.]+) M \|", text, re.MULTILINE)
    listed = [(name, "weights ship" in note, total, cost) for name, note, total, cost in rows]
    assert listed == [
        (name, bool(entry.weights), f"{entry.parameters.total:,}", f"{entry.multiply_adds / 1e6:.1f}")
        for name, entry in read_catalogue().models.items()
    ]


def test_the_list_of_other_names_is_the_one_that_is_read():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    rows = "".join(f"| `{name}` | {', '.join(map('`{}`'.format, others))} |\n" for name, others in OTHER_NAMES.items())
    assert f"| class | other names |\n|---|---|\n{rows}\n" in text


def test_every_page_is_in_the_navigation():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    def files(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values() if isinstance(entry, dict) else entry:
                yield from files(inner)

    assert sorted(files(navigation)) == sorted(page.relative_to(ROOT / "docs").as_posix() for page in DOCS)

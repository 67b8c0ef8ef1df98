"""What Typer says of a wrong command line, as one line in our words."""

import re
from typing import Any

from fercli.core.registry import find_similar

#: What Typer says, and how it goes in our words.
_TRANSLATIONS = (
    (r"Input should be a valid (integer|number).*", r"must be a \1"),
    (r"Input should be greater than or equal to (\S+)", r"must be \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"must be \1 or less"),
    # of older versions of Typer
    (r"'[^']*' is not a valid integer( range)?\.?$", "must be a whole number"),
    (r"'[^']*' is not a valid float( range)?\.?$", "must be a number"),
    (r"is not in the range x>=(\S+?)\.?$", r"must be \1 or more"),
    (r"is not in the range x<=(\S+?)\.?$", r"must be \1 or less"),
    (r"Value error, ", ""),
    (r"must be a integer", "must be a whole number"),
)


def describe_usage_error(fault: Any, command: str = "fer") -> str:
    """One line for an error that Typer raised: what is wrong, the nearest right word, and where the right ones stand.

    `fault` is a ClickException of whatever module Typer has it from. `command` is the one that was typed: not every
    fault knows it.
    """
    message = _complete(fault, " ".join(str(fault.format_message()).split()))
    return f"{message.rstrip('.')} ({_help_of(fault, command)})"


def _complete(fault: Any, message: str) -> str:
    """The message, with the flag in front, and a suggestion for a word that is unknown."""
    context = getattr(fault, "ctx", None)
    option = getattr(fault, "option_name", None)
    if "No such option" in message and option:
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        return f"no option {option}{_suggest(option, known)}"
    if named := re.match(r"No such command '(.*?)'", message):
        return f"no command '{named[1]}'{_suggest(named[1], context.command.list_commands(context) if context else [])}"
    for pattern, ours in _TRANSLATIONS:
        message = re.sub(pattern, ours, message)
    # "Invalid value for '--max-faces' / '-n': 'x' is …"
    if named := re.match(r"Invalid value for (.+?): (.*)", message):
        return f"{_bare(named[1])}: {named[2]}"
    return f"{message[:1].lower()}{message[1:]}"


def _bare(flags: str) -> str:
    """The first of the flags that Typer lists in quotes: "'--jobs' / '-j'" to '--jobs'."""
    return flags.partition(" / ")[0].strip("'")


def _suggest(word: str, known: list[str]) -> str:
    """'; did you mean --faces?' where one is similar. The dashes are alike in all of them and count for nothing."""
    by_word = {name.lstrip("-"): name for name in known if len(name.lstrip("-")) > 1}
    similar = [by_word[name] for name in find_similar(word.lstrip("-"), by_word)]
    return f"; did you mean {' or '.join(similar)}?" if similar else ""


def _help_of(fault: Any, command: str) -> str:
    context = getattr(fault, "ctx", None)
    return f"{context.command_path if context else command} --help"

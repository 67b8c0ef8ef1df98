"""Text that strangers wrote as values: JSON, YAML and numbers, each by the one reader that all of the project uses.

The libraries raise other errors than they promise for numbers of thousands of digits, for brackets nested thousands
deep and for dates that there are not. Here every fault is a ValueError whose text fits a line.
"""

import json
from typing import Any, TypeVar

import yaml

from fercli.core.text import shorten

#: Values that a YAML document may have, aliases written out: some bytes of nested aliases stand for billions.
MAX_VALUES = 100_000
#: Whole numbers are read up to this size, which files of every form can hold.
_LARGEST = 2**63 - 1
_TOO_DEEP, _TOO_LARGE = "it is nested too deeply", "a whole number in it is too large"

Number = TypeVar("Number", int, float)


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises ValueError where it is none, in one line."""
    try:
        return json.loads(text, parse_int=lambda digits: parse_number(digits, int))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's, which would silently take the last value of a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node. Raises _TwiceError for a key that stands twice."""
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                name, line = (key.tag, key.value), key.start_mark.line + 1
                if name in lines:
                    raise _TwiceError(f"'{shorten(key.value, 60)}' stands twice, in lines {lines[name]} and {line}")
                lines[name] = line
        return super().construct_mapping(node, deep)


class _TwiceError(ValueError):
    """A key stands twice."""


def parse_yaml(text: str) -> Any:
    """The value of a YAML text. Raises ValueError where it is none, or where a key stands twice, in one line."""
    try:
        document = yaml.load(text, _Loader)
    except _TwiceError:
        raise
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except Exception as error:  # beside YAMLError, whatever a wrong date, number or tag makes it raise
        # Python's own advice is to allow such numbers
        told = _TOO_LARGE if "set_int_max_str_digits" in str(error) else " ".join(str(error).split())
        raise ValueError(shorten(told, 200)) from None
    _check_values(document)
    return document


def _check_values(document: Any) -> None:
    """Raise ValueError where a document is endless, or a number in it is too large."""
    todo, count = [document], 0
    while todo:
        value = todo.pop()
        count += 1
        if count > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} values, aliases (*name) written out")
        if isinstance(value, dict):
            todo += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            todo += value
        elif isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(_TOO_LARGE)


def parse_number(text: str, kind: type[Number]) -> Number:
    """A number in ASCII digits, blanks around it allowed. Raises ValueError where it is none, or a whole one of more
    than 64 bits."""
    if len(text) > 400 or not text.isascii() or "_" in text:
        raise ValueError(f"'{shorten(text, 40)}' is no number")
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"'{shorten(text, 40)}' is no number") from None
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"the number {shorten(text, 40)} is too large")
    return value

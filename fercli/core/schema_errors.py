"""What is wrong with settings, in our own words: pydantic's errors as lines that say what to type."""

import reprlib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from fercli.core.registry import suggest
from fercli.core.text import shorten

#: What each kind of error says of the value that stands before it. Braces name the error's context.
_MEANINGS = {
    "missing": "is missing",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "string_type": "is not text",
    "literal_error": "is not one of {expected}",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "too_short": "needs {min_length} or more",
    "too_long": "takes {max_length} at most",
    "model_type": "is not a block of settings",
    "model_attributes_type": "is not a block of settings",
    "dict_type": "is not a block of settings",
    "list_type": "is not a list",
    "tuple_type": "is not a list",
}


def list_faults(error: ValidationError) -> list[str]:
    """Every fault of a validation: the dotted name of the setting, its value, and what is wrong with it."""
    return [f"{name or 'as a whole'}: {meaning}" for name, meaning in iterate_faults(error)]


def iterate_faults(error: ValidationError, names: Iterable[str] = (), prefix: str = "") -> Iterator[tuple[str, str]]:
    """The dotted name of each setting at fault, empty for the whole, and what is wrong with it.

    For an unknown setting the nearest of `names` are suggested: dotted ones, without the `prefix` that they may have in
    the settings.
    """
    names = list(names)
    for fault in error.errors():
        name = shorten(".".join(map(str, fault["loc"])), 100)
        if fault["type"] == "extra_forbidden":
            yield name, f"unknown setting{_hint(name.removeprefix(prefix), names)}"
        elif fault["type"] in _MEANINGS:
            meaning = _MEANINGS[fault["type"]].format(**{**fault.get("ctx", {}), "input": ""})
            yield name, meaning if fault["type"] == "missing" else f"{_show(fault['input'])} {meaning}"
        else:
            yield name, shorten(fault["msg"].removeprefix("Value error, "), 200)


def dotted_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The settings of a model and of the models in it, by dotted name."""
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        yield f"{prefix}{name}"
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from dotted_names(kind, f"{prefix}{name}.")


def _hint(name: str, names: list[str]) -> str:
    """The settings that end in the same word, else the nearest."""
    last = name.rpartition(".")[2]
    if same := [known for known in names if known.rpartition(".")[2] == last]:
        return f": did you mean {' or '.join(same)}?"
    hint = suggest(name, names)
    return f": {hint}" if hint.startswith("did you mean") else ""


def _show(value: Any) -> str:
    # a part of it is enough: text of nested values may be as long as a book
    if isinstance(value, list | dict):
        return shorten(reprlib.repr(value), 60)
    return shorten(repr(value) if isinstance(value, str) else str(value), 60)

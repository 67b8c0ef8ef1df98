"""What a search may choose from: a range or a list of values for each setting, and when a setting counts at all."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from fercli.core.recipe import Settings, as_number
from fercli.core.text import shorten

Real = Annotated[int | float, BeforeValidator(as_number), Field(allow_inf_nan=False)]


def _as_tuples(value: object) -> object:
    """A condition's values, one of them written without a list too."""
    if not isinstance(value, Mapping):
        return value
    return {name: tuple(values) if isinstance(values, list | tuple) else (values,) for name, values in value.items()}


class Dimension(Settings):
    """What one setting may be, and `when` it counts: where each setting named there has one of the values."""

    when: Annotated[dict[str, tuple[Any, ...]], BeforeValidator(_as_tuples)] = Field(default_factory=dict)


class Range(Dimension):
    """Numbers from low to high, both of them included: whole ones where both limits are whole. `log` draws their
    logarithm evenly, `step` takes only every so far apart from low on."""

    low: Real
    high: Real
    log: bool = False
    step: Real | None = None

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"the range from {self.low:g} to {self.high:g} is empty: low must be less than high")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {self.low:g}")
        if self.step is not None and (self.log or not 0 < self.step <= self.high - self.low):
            raise ValueError("step goes without log, and is more than 0 and not more than the whole range")
        return self

    @property
    def whole(self) -> bool:
        """Whether it has whole numbers alone."""
        return all(isinstance(value, int) for value in (self.low, self.high, 1 if self.step is None else self.step))

    @property
    def examples(self) -> tuple[Any, ...]:
        """Values that a setting must be able to take for the range to make sense: the least and the greatest."""
        if self.step is None:
            return (self.low, self.high)
        return (self.low, self.low + int((self.high - self.low) / self.step + 1e-9) * self.step)

    def find(self, value: object) -> int | float | None:
        """The value as one of the range, None where it is none: 10.0 is 10 among whole numbers."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return None
        step = 1 if self.whole and self.step is None else self.step
        steps = 0.0 if step is None else (value - self.low) / step
        if abs(steps - round(steps)) > 1e-9:
            return None
        return round(value) if self.whole else value


class Choice(Dimension):
    """Some values; one alone is a setting that every trial has."""

    values: Annotated[tuple[Any, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        if any(value in self.values[:index] for index, value in enumerate(self.values)):
            raise ValueError("a value stands twice")
        return self

    @property
    def examples(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def find(self, value: object) -> Any:
        """The value as the list has it, None where it does not."""
        return next((known for known in self.values if known == value), None)


@dataclass(frozen=True)
class Space:
    """Settings by dotted name, in their order, with what each may be. `document` is how it was written."""

    dimensions: Mapping[str, Range | Choice]
    document: Mapping[str, Any] = field(repr=False)

    def sample(self, suggest: Callable[[str, Range | Choice], Any]) -> dict[str, Any]:
        """One setting after the other as `suggest` says; those that do not count are left out."""
        chosen: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if all(chosen.get(other) in values for other, values in dimension.when.items()):
                chosen[name] = suggest(name, dimension)
        return chosen

    def locate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Of values by dotted name those that settings of the space have and may be, where these settings count."""
        found = self.sample(lambda name, dimension: dimension.find(values.get(name)))
        return {name: value for name, value in found.items() if value is not None}

    def widen(self, values: Mapping[str, Any]) -> "Space":
        """The space with these values, by dotted name, in it too; one that a range cannot have, as 0 in one that is
        logarithmic, stays outside."""
        document = dict(self.document)
        for name, dimension in self.dimensions.items():
            value = values.get(name)
            if value is None or dimension.find(value) is not None:
                continue
            if isinstance(dimension, Choice):
                choices = [value, *dimension.values]
                written = document[name]
                document[name] = {**written, "values": choices} if isinstance(written, Mapping) else choices
            elif value > 0 or not dimension.log:
                ends = {"low": min(dimension.low, value), "high": max(dimension.high, value)}
                document[name] = {**document[name], **ends}
        return parse_space(document)

    def list_grid(self) -> dict[str, list[Any]]:
        """The values of each setting in a grid; a range needs whole limits or a step."""
        grid: dict[str, list[Any]] = {}
        for name, dimension in self.dimensions.items():
            if isinstance(dimension, Choice):
                grid[name] = list(dimension.values)
                continue
            step = dimension.step or 1
            count = int((dimension.high - dimension.low) / step + 1e-9) + 1
            grid[name] = [dimension.low + index * step for index in range(count)]
        return grid

    def count_grid(self) -> int:
        """The number of combinations of a grid."""
        return math.prod(map(len, self.list_grid().values()))

    def conditions(self, name: str) -> dict[str, Any]:
        """Settings under which the one of this name counts."""
        return {other: values[0] for other, values in _list_conditions(name, self.dimensions).items()}


def parse_space(document: object) -> Space:
    """A space from plain values: `name: [a, b]`, `name: {low: 1, high: 9}` with `log` or `step`, `name: value` for
    what is fixed, and `when` in a mapping. Raises ValueError, in one line, naming the first setting at fault."""
    if not isinstance(document, Mapping) or not document:
        raise ValueError("it is no mapping of settings to what they may be, as 'optimizer.lr: {low: 1e-4, high: 1e-2}'")
    dimensions: dict[str, Range | Choice] = {}
    for key, value in document.items():
        name = str(key)
        try:
            dimension = _parse_dimension(value)
        except ValidationError as error:
            from fercli.core.schema_errors import list_faults  # where nothing is wrong, it is not needed

            fault = list_faults(error)[0].removeprefix("as a whole: ")
            raise ValueError(f"{shorten(name, 60)}: {fault}") from error
        _check_conditions(name, dimension, dimensions)
        dimensions[name] = dimension
    return Space(dimensions, dict(document))


def _parse_dimension(value: object) -> Range | Choice:
    if isinstance(value, Mapping):
        return (Choice if "values" in value else Range).model_validate(value)
    values = value if isinstance(value, list | tuple) else [value]
    return Choice.model_validate({"values": [as_number(each) for each in values]})


def _check_conditions(name: str, dimension: Dimension, above: Mapping[str, Range | Choice]) -> None:
    """Raise ValueError where a condition is about no list of values that stands above, or can never be met."""
    for other, values in dimension.when.items():
        known = above.get(other)
        if not isinstance(known, Choice):
            raise ValueError(f"{name}: when names {shorten(other, 60)}, which is no list of values above it")
        if strange := [value for value in values if value not in known.values]:
            raise ValueError(f"{name}: when asks for {strange[0]!r}, which {other} never is")
    for other, values in _list_conditions(name, {**above, name: dimension}).items():
        if not values:
            raise ValueError(f"{name}: when is never met: what it names counts only for another {other}")


def _list_conditions(name: str, dimensions: Mapping[str, Dimension]) -> dict[str, tuple[Any, ...]]:
    """The values that other settings may have where the one of this name counts, conditions of conditions included."""
    allowed: dict[str, tuple[Any, ...]] = {}
    waiting = [name]
    while waiting:
        for other, values in dimensions[waiting.pop()].when.items():
            allowed[other] = tuple(value for value in allowed.get(other, values) if value in values)
            waiting.append(other)
    return allowed

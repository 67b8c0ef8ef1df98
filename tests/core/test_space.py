"""What a search chooses from: how it is written, what is refused, and that draws stay inside."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.space import Choice, Range, parse_space
from fercli.models.catalogue import load_catalogue

WRITTEN = {
    "optimizer.lr": {"low": "1e-3", "high": 3e-2, "log": True},
    "schedule.name": ["cosine", "constant"],
    "schedule.warmup": {"low": 0.05, "high": 0.4, "when": {"schedule.name": "cosine"}},
    "augment.rotate": {"low": 0, "high": 20, "step": 5},
    "epochs": 3,
}


def draw(seed: int):
    """A function that draws as a sampler would."""
    chance = random.Random(seed)

    def suggest(name, dimension):
        if isinstance(dimension, Choice):
            return chance.choice(dimension.values)
        return chance.randint(dimension.low, dimension.high) if dimension.whole else chance.uniform(*dimension.examples)

    return suggest


@given(st.integers(0, 10_000))
def test_a_draw_lies_inside_and_conditions_hold(seed):
    space = parse_space(WRITTEN)
    chosen = space.sample(draw(seed))
    assert ("schedule.warmup" in chosen) == (chosen["schedule.name"] == "cosine")
    assert 1e-3 <= chosen["optimizer.lr"] <= 3e-2
    assert isinstance(chosen["augment.rotate"], int)
    assert chosen["epochs"] == 3
    assert list(chosen) == [name for name in WRITTEN if name in chosen]


def test_whole_numbers_are_those_between_whole_limits():
    space = parse_space(WRITTEN).dimensions
    assert isinstance(space["augment.rotate"], Range)
    assert space["augment.rotate"].whole
    assert not space["schedule.warmup"].whole


def test_conditions_of_conditions_are_known():
    space = parse_space(
        {"a": [1, 2], "b": {"values": ["x", "y"], "when": {"a": 2}}, "c": {"low": 0, "high": 1, "when": {"b": ["y"]}}}
    )
    assert space.conditions("c") == {"a": 2, "b": "y"}
    inner = {"values": ["x", "y"], "when": {"a": [1, 2]}}
    space = parse_space({"a": [1, 2], "b": inner, "c": {"low": 0, "high": 1, "when": {"a": 2, "b": "y"}}})
    assert space.conditions("c") == {"a": 2, "b": "y"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([], "it is no mapping"),
        ({}, "it is no mapping"),
        ({"lr": {"low": 2, "high": 1}}, "lr: the range from 2 to 1 is empty: low must be less than high"),
        ({"lr": {"low": 1, "high": 1}}, "lr: the range from 1 to 1 is empty"),
        ({"lr": []}, "lr: values: .* needs 1 or more"),
        ({"lr": [1, 2, 1]}, "lr: a value stands twice"),
        ({"lr": {"low": 0, "high": 1, "log": True}}, "lr: log needs a low above 0, not 0"),
        ({"lr": {"low": 0, "high": 1, "step": 2}}, "lr: step goes without log"),
        ({"lr": {"low": 1, "high": 8, "step": 2, "log": True}}, "lr: step goes without log"),
        ({"lr": {"low": 0, "hihg": 1}}, "lr: "),
        ({"lr": {"low": "much", "high": 1}}, "lr: low"),
        ({"lr": {"low": 0, "high": float("inf")}}, "lr: high"),
        ({"a": [1], "lr": {"low": 0, "high": 1, "when": {"b": 1}}}, "lr: when names b, which is no list of values"),
        ({"a": [1, 2], "lr": {"low": 0, "high": 1, "when": {"a": 3}}}, "lr: when asks for 3, which a never is"),
        (
            {"a": [1, 2], "b": {"values": [5], "when": {"a": 2}}, "c": {"values": [7], "when": {"a": 1, "b": 5}}},
            "c: when is never met: what it names counts only for another a",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_setting(written, message):
    with pytest.raises(ValueError, match=f"^{message}") as error:
        parse_space(written)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", load_catalogue().models)
def test_every_network_of_the_catalogue_has_a_space(name):
    spaces = load_catalogue()[name].spaces
    assert "recipe" in spaces
    for space in spaces.values():
        parse_space(space)


@given(st.integers(0, 10_000))
def test_a_point_of_the_space_is_found_in_it_and_nothing_else(seed):
    space = parse_space(WRITTEN)
    point = space.sample(draw(seed))
    on_steps = {name: value for name, value in point.items() if name != "augment.rotate" or value % 5 == 0}
    assert space.locate(point | {"label_smoothing": 0.1}) == on_steps
    assert space.locate(dict.fromkeys(point, "elsewhere")) == {}


def test_the_greatest_value_of_a_range_is_on_its_steps():
    assert Range(low=3, high=8, step=2).examples == (3, 7)
    assert Range(low=0.0, high=0.3, step=0.1).examples == pytest.approx((0.0, 0.3))


@pytest.mark.parametrize(
    ("value", "found"), [(0, None), (21, None), (5, 5), (5.0, 5), (5.5, None), (True, None), (None, None), ("5", None)]
)
def test_a_value_is_one_of_a_range_or_is_not(value, found):
    assert Range(low=1, high=20).find(value) == found

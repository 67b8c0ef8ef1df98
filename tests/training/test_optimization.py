"""Optimisers and schedules by name."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn, optim

from fercli.core.recipe import Optimizer, Schedule
from fercli.training.optimization import make_optimizer, make_schedule


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", optim.SGD),
        ("adam", optim.Adam),
        ("adamw", optim.AdamW),
        ("nadam", optim.NAdam),
        ("rmsprop", optim.RMSprop),
    ],
)
def test_each_name_is_that_optimiser_with_its_settings(name, kind):
    optimizer = make_optimizer(nn.Linear(2, 2).parameters(), Optimizer(name=name, lr=0.1, weight_decay=0.01, eps=1e-7))
    assert type(optimizer) is kind
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.01)
    assert group.get("eps", 1e-7) == 1e-7


def test_frozen_parameters_are_left_out():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    groups = make_optimizer(layer.parameters(), Optimizer(name="sgd", lr=0.1)).param_groups
    assert [value is layer.weight for value in groups[0]["params"]] == [True]


def rates(schedule: Schedule, steps: int) -> list[float]:
    """The learning rate before each step, for a full rate of 1."""
    optimizer = make_optimizer(nn.Linear(1, 1).parameters(), Optimizer(name="sgd", lr=1))
    moving = make_schedule(optimizer, schedule, steps)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        moving.step()
    return out


def test_one_cycle_rises_from_a_25th_and_falls_to_nothing():
    seen = rates(Schedule(name="one-cycle", warmup=0.25), 100)
    assert seen[0] == pytest.approx(1 / 25)
    assert max(seen) == pytest.approx(seen[25]) == 1
    assert seen[:26] == sorted(seen[:26])
    assert seen[25:] == sorted(seen[25:], reverse=True)
    assert seen[-1] < 0.001


def test_cosine_rises_along_a_line_and_is_half_way_down_half_way():
    seen = rates(Schedule(name="cosine", warmup=0.2), 100)
    assert seen[:4] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert seen[60] == pytest.approx(0.5)


@settings(deadline=None)
@given(st.sampled_from(["cosine", "one-cycle", "constant"]), st.floats(0, 0.99), st.integers(1, 60))
def test_no_rate_is_ever_above_the_full_one(name, warmup, steps):
    assert all(0 <= rate <= 1 for rate in rates(Schedule(name=name, warmup=warmup), steps))


def test_a_constant_rate_stays():
    assert set(rates(Schedule(), 5)) == {1.0}


def test_plateau_waits_its_patience_then_falls_by_its_factor_to_its_floor():
    optimizer = make_optimizer(nn.Linear(1, 1).parameters(), Optimizer(name="sgd", lr=1))
    schedule = make_schedule(optimizer, Schedule(name="plateau", patience=2, factor=0.1, min_lr=0.05), 10)
    seen = []
    for accuracy in [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]:
        schedule.step(accuracy)
        seen.append(round(optimizer.param_groups[0]["lr"], 4))
    assert seen == [1, 1, 1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05]


def test_rates_do_not_depend_on_torch_s_random_state():
    torch.manual_seed(0)
    first = rates(Schedule(name="one-cycle", warmup=0.3), 10)
    torch.manual_seed(1)
    assert rates(Schedule(name="one-cycle", warmup=0.3), 10) == first

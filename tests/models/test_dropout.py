"""Dropout with a mask of its own, as networks compiled for the CPU take it."""

import pytest
import torch

from fercli.models.layers import Dropout


@pytest.fixture(autouse=True)
def compiling(monkeypatch):
    """As if compiled: the mask is an operation of its own either way."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)


def maps(channels_last: bool = False) -> torch.Tensor:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return torch.ones(64, 8, 12, 12).contiguous(memory_format=layout).requires_grad_()


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_its_fraction_is_dropped_and_the_rest_makes_up_for_it(rate, channels_last):
    torch.manual_seed(0)
    values = maps(channels_last)
    out = Dropout(rate)(values)
    assert out.stride() == values.stride()
    kept = out != 0
    # of 73,728 draws: four standard deviations are less than 0.008
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=0.008)
    assert torch.allclose(out[kept], torch.tensor(1 / (1 - rate)))
    out.sum().backward()
    assert torch.equal(values.grad != 0, kept)


def test_no_place_is_favoured():
    torch.manual_seed(0)
    layer, values = Dropout(0.5), torch.ones(1, 4, 6, 6)
    fraction = sum((layer(values) != 0).float() for _ in range(2000)) / 2000
    assert fraction.min() > 0.44
    assert fraction.max() < 0.56


def test_draws_follow_the_seed_and_differ_from_call_to_call():
    layer = Dropout(0.5)
    torch.manual_seed(3)
    first, second = layer(maps()), layer(maps())
    torch.manual_seed(3)
    assert torch.equal(layer(maps()), first)
    assert not torch.equal(first, second)


def test_a_view_with_gaps_is_taken_as_it_is():
    gaps = torch.ones(8, 8, 12, 12)[:, ::2, 1:11, ::3]
    assert Dropout(0.5)(gaps).shape == gaps.shape


def test_nothing_is_dropped_in_use_or_at_a_rate_of_zero():
    assert torch.equal(Dropout(0.5).eval()(maps()), maps())
    assert torch.equal(Dropout(0.0)(maps()), maps())

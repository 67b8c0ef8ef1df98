"""Operations of a training step by kind."""

import pytest

from benchmarks.profile_step import fractions, kind


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aten::mkldnn_convolution_backward", "convolutions, backward"),
        ("aten::mkldnn_convolution", "convolutions, forward"),
        ("aten::max_pool2d_with_indices_backward", "pooling, backward"),
        ("aten::max_pool2d_with_indices", "pooling, forward"),
        ("graph_0_cpp_fused_native_batch_norm_relu_3", "norms, activations, sums and masks, fused"),
        ("aten::_fused_adamw_", "optimiser"),
        ("aten::grid_sampler_2d", "augmentation: sampling"),
        ("aten::empty", "everything else"),
    ],
)
def test_an_operation_has_a_kind(name, expected):
    assert kind(name) == expected


def test_fractions_are_of_all_time_the_largest_first():
    found = fractions([("aten::convolution", 1.0), ("aten::mkldnn_convolution", 2.0), ("aten::empty", 5.0)])
    assert found == [("everything else", 0.625), ("convolutions, forward", 0.375)]

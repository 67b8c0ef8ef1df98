"""The networks as built, held against what the papers print: layers are inspected, not copied."""

import pytest
import torch
from torch import nn

from fercli.core.errors import UsageError
from fercli.models.architectures.xu_rescnn import squeeze_width
from fercli.models.catalogue import build, build_model, configured_entry, load_catalogue, measure_cost
from fercli.models.classifier import logits


@pytest.mark.parametrize(
    ("name", "total"),
    [("xu-rescnn", 54_983), ("xu-rescnn-54895", 54_895), ("bah-resnet", 9_773_111), ("bah-basic", 4_734_455)],
)
def test_the_counts_are_the_papers(name, total):
    assert load_catalogue()[name].parameters.total == total


def shapes(network: nn.Module, kind: type[nn.Module]) -> list[tuple[int, ...]]:
    """Output shapes, without the batch, of every layer of a kind, in the order they run."""
    seen: list[tuple[int, ...]] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _inputs, out: seen.append(tuple(out.shape[1:])))
        for layer in network.modules()
        if isinstance(layer, kind)
    ]
    network.eval()(torch.zeros(1, 1, 48, 48))
    for hook in hooks:
        hook.remove()
    return seen


def test_xu_s_table_row_by_row():
    network = build_model("xu-rescnn")
    outputs = shapes(network, nn.Conv2d)
    assert outputs[0] == (16, 24, 24)
    assert (256, 6, 6) in outputs
    assert outputs[-1] == (7, 1, 1)
    depthwise = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    assert [layer.groups for layer in depthwise] == [16, 32, 64, 64, 72, 88]
    assert [layer.kernel_size[0] for layer in depthwise] == [3, 3, 3, 5, 5, 5]
    assert [layer.stride[0] for layer in depthwise] == [1, 2, 1, 2, 1, 1]
    assert sum(isinstance(layer, nn.Hardsigmoid) for layer in network.modules()) == 3
    assert sum(isinstance(layer, nn.Hardswish) for layer in network.modules()) == 2


def test_the_other_reading_of_xu_differs_in_its_gates_and_its_last_norm():
    network = build_model("xu-rescnn-54895")
    dense = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in dense[::2]] == [(64, 16), (72, 24), (88, 24)]
    assert all(layer.bias is None for layer in dense)
    assert not any(isinstance(layer, nn.BatchNorm2d) and layer.num_features == 256 for layer in network.modules())


@pytest.mark.parametrize(("channels", "width"), [(64, 16), (72, 24), (88, 24), (8, 8), (40, 16), (240, 64)])
def test_a_gate_s_width_is_rounded_as_in_mobilenet_v3(channels, width):
    assert squeeze_width(channels, 8) == width
    assert squeeze_width(channels, 1) == channels // 4


def test_every_convolution_of_xu_and_bah_has_a_bias():
    for name in ("xu-rescnn", "bah-resnet", "bah-basic"):
        convolutions = [layer for layer in build_model(name).modules() if isinstance(layer, nn.Conv2d)]
        assert all(layer.bias is not None for layer in convolutions), name


BAH_COUNTS = [416, 64, 6416, 64, 4640, 128, 9248, 128, 9248, 128, 9248, 128, 18496, 256, 36928, 256, 73856, 512, 147584]
BAH_COUNTS += [512, 147584, 512, 147584, 512, 295168, 1024, 590080, 1024, 1180160, 2048, 2359808, 2048, 2359808, 2048]
BAH_COUNTS += [2359808, 2048, 3591]


def test_bah_layer_by_layer_has_the_paper_s_counts():
    def own(layer: nn.Module) -> int:
        values = [*layer.parameters(recurse=False), *(b for key, b in layer.named_buffers() if "running" in key)]
        return sum(value.numel() for value in values)

    layers = [
        layer
        for layer in build_model("bah-resnet").modules()
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear)
    ]
    assert [own(layer) for layer in layers] == BAH_COUNTS


def test_bah_s_norm_follows_the_activation_outside_the_residual_blocks_and_precedes_it_inside():
    network = build_model("bah-basic")
    order = [type(layer).__name__ for layer in network.modules() if not list(layer.children())]
    assert order[:6] == ["Conv2d", "ReLU", "BatchNorm2d"] * 2
    residual = next(layer for layer in build_model("bah-resnet").modules() if type(layer).__name__ == "Residual")
    inside = [type(layer).__name__ for layer in residual.modules() if not list(layer.children())]
    assert inside == ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d"]


def test_bah_s_residual_block_adds_its_input():
    residual = next(layer for layer in build_model("bah-resnet").modules() if type(layer).__name__ == "Residual").eval()
    for layer in residual.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    maps = torch.randn(2, 32, 24, 24)
    assert torch.allclose(residual(maps), maps.relu())


def test_bah_s_dropouts_and_sizes():
    network = build_model("bah-resnet")
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.3, 0.3, 0.3, 0.3, 0.4, 0.4]
    assert shapes(network, nn.MaxPool2d) == [(32, 24, 24), (64, 12, 12), (128, 6, 6), (256, 3, 3), (512, 1, 1)]


@pytest.mark.parametrize("name", ["xu-rescnn", "bah-resnet"])
def test_weights_start_he_normal_truncated_with_zero_biases(name):
    torch.manual_seed(0)
    for layer in build_model(name).modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert not layer.bias.any()
            expected = (2 / layer.weight[0].numel()) ** 0.5
            assert layer.weight.abs().max() <= 2 * expected / 0.8796 + 1e-6
            if layer.weight.numel() > 5_000:
                assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)


def test_norms_have_keras_epsilon_and_pytorch_s_momentum():
    norms = [layer for layer in build_model("bah-resnet").modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {(layer.momentum, layer.eps) for layer in norms} == {(0.1, 1e-3)}


def test_mirrored_logits_are_the_mean_of_both_views():
    network = build_model("xu-rescnn")
    faces = torch.randint(0, 256, (4, 1, 48, 48), dtype=torch.uint8)
    both = (logits(network, faces) + logits(network, faces.flip(3))) / 2
    assert torch.allclose(logits(network, faces, mirrored=True), both, atol=1e-6)
    assert torch.allclose(
        logits(network, faces, mirrored=True), logits(network, faces.flip(3), mirrored=True), atol=1e-5
    )


#: Arguments that are not as the catalogue has them.
VARIED = [
    ("bah-resnet", {"width": 8}),
    ("bah-resnet", {"growth": 1.5}),
    ("bah-resnet", {"depth": 1}),
    ("bah-resnet", {"residual_after": "1 6"}),
    ("xu-rescnn", {"width": 0.5}),
    ("xu-rescnn", {"expansion": 1.5}),
    ("xu-rescnn", {"gated": "none"}),
    ("xu-rescnn", {"kernel": 3, "head": 64}),
    ("vgg14", {"hidden": 64}),
]


@pytest.mark.parametrize(("name", "arguments"), VARIED)
def test_a_varied_network_is_another_one_of_the_same_input_and_output(name, arguments):
    entry = configured_entry(name, arguments)
    network = build(entry)
    assert logits(network.eval(), torch.zeros(2, 1, 48, 48)).shape == (2, 7)
    cost = measure_cost(entry)
    assert cost != measure_cost(load_catalogue()[name])
    assert cost.parameters == sum(value.numel() for value in network.parameters())


def test_without_its_residual_blocks_bah_resnet_is_bah_basic():
    cost = measure_cost(configured_entry("bah-resnet", {"residual_after": "none"}))
    assert cost == measure_cost(load_catalogue()["bah-basic"])


def test_dropout_reaches_the_layers():
    layers = build(configured_entry("bah-resnet", {"dropout": 0.25, "late_dropout": 0.5})).modules()
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.25] * 4 + [0.5] * 2


@pytest.mark.parametrize("name", load_catalogue().models)
def test_a_cost_is_the_catalogue_s_count(name):
    entry = load_catalogue()[name]
    cost = measure_cost(entry)
    assert (cost.parameters, cost.multiply_adds) == (entry.parameters.trainable, entry.multiply_adds)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("xu-rescnn", {"widht": 2}, "arguments.widht: xu-rescnn has no such argument: did you mean width"),
        ("lenet", {"width": 2}, "lenet has no such argument: it takes none"),
        ("xu-rescnn", {"width": "2x"}, "arguments.width: '2x' is not a number"),
        ("xu-rescnn", {"kernel": 4}, "arguments.kernel: 4 is not one of 1, 3, 5"),
        ("bah-resnet", {"width": 2.5}, "arguments.width: 2.5 is not a whole number"),
        ("bah-resnet", {"residual_after": "2 7"}, "'2 7' is neither 'none' nor different numbers from 1 to 6"),
        ("bah-resnet", {"residual_after": ""}, "is neither 'none'"),
        ("bah-resnet", {"residual_after": "2 2"}, "is neither 'none'"),
    ],
)
def test_arguments_that_make_no_network_are_told(name, arguments, message):
    with pytest.raises(UsageError, match=message):
        configured_entry(name, arguments)

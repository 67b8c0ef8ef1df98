"""The networks that the papers compare with, and the pretrained ones, held against the papers by inspection."""

import pytest
import torch
from torch import nn

from fercli.models.catalogue import build_model, load_catalogue


def leaves(network: nn.Module) -> list[nn.Module]:
    """The layers that compute, in the order they were put together."""
    return [layer for layer in network.modules() if not list(layer.children())]


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in leaves(network)]


def convolutions(network: nn.Module) -> list[tuple[int, int, int]]:
    """Output channels, kernel and stride of every convolution."""
    found = (layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    return [(layer.out_channels, layer.kernel_size[0], layer.stride[0]) for layer in found]


def sides(network: nn.Module) -> list[int]:
    """The side of the maps after every convolution and pooling, in the order they run."""
    seen: list[int] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.AvgPool2d | nn.MaxPool2d):
            layer.register_forward_hook(lambda _layer, _inputs, out: seen.append(out.shape[-1]))
    network.eval()(torch.zeros(1, 1, 48, 48))
    return seen


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("simple-cnn", 642_935),
        ("simpler-cnn", 559_671),
        ("mini-xception", 58_423),
        ("li-resnet50", 23_575_495),
        ("li-resnet101", 42_619_847),
        ("chen-resnet-mlp", 23_858_823),
    ],
)
def test_the_totals_are_the_papers(name, total):
    assert load_catalogue()[name].parameters.total == total


def test_simple_cnn_is_four_pooled_stages_of_two_blocks():
    network = build_model("simple-cnn")
    stage = ["Conv2d", "BatchNorm2d", "Conv2d", "BatchNorm2d", "ReLU", "AvgPool2d", "Dropout"]
    head = ["Conv2d", "BatchNorm2d", "Conv2d", "AdaptiveAvgPool2d", "Flatten"]
    assert kinds(network) == stage * 4 + head
    rows = [(16, 7), (32, 5), (64, 3), (128, 3)]
    assert convolutions(network) == [(c, k, 1) for c, k in rows for _ in range(2)] + [(256, 3, 1), (7, 3, 1)]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.5}
    assert sides(network) == [48, 48, 24, 24, 24, 12, 12, 12, 6, 6, 6, 3, 3, 3]


def test_simpler_cnn_strides_down_to_one_place():
    network = build_model("simpler-cnn")
    stage = ["Conv2d", "BatchNorm2d", "Conv2d", "BatchNorm2d", "ReLU", "Dropout"]
    tail = ["Conv2d", "BatchNorm2d", "Conv2d", "Conv2d", "BatchNorm2d", "Conv2d", "Flatten"]
    assert kinds(network) == stage * 4 + tail
    rows = [(16, 5, 1), (16, 5, 2), (32, 5, 1), (32, 5, 2), (64, 3, 1), (64, 3, 2), (64, 1, 1), (128, 3, 2)]
    assert convolutions(network) == [*rows, (256, 1, 1), (128, 3, 2), (256, 1, 1), (7, 3, 2)]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.25}
    assert sides(network)[-1] == 1
    assert not any(isinstance(layer, nn.AdaptiveAvgPool2d) for layer in network.modules())


def test_mini_xception_has_no_bias_but_the_last():
    network = build_model("mini-xception")
    found = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.bias is not None for layer in found] == [False] * (len(found) - 1) + [True]
    assert [layer.padding for layer in found[:2]] == [(0, 0), (0, 0)]
    assert sum(layer.groups > 1 for layer in found) == 8
    shortcuts = [layer for layer in found if layer.kernel_size == (1, 1) and layer.stride == (2, 2)]
    assert [layer.out_channels for layer in shortcuts] == [16, 32, 64, 128]
    pools = [layer for layer in network.modules() if isinstance(layer, nn.MaxPool2d)]
    assert [(layer.kernel_size, layer.stride) for layer in pools] == [(3, 2)] * 4
    assert sides(network)[:2] == [46, 44]
    assert sides(network)[-1] == 3


def test_mini_xception_s_stage_is_its_shortcut_where_the_main_way_is_shut():
    stage = next(layer for layer in build_model("mini-xception").modules() if type(layer).__name__.endswith("Residual"))
    stage.eval()
    for layer in stage.main.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.zeros_(layer.weight)
    maps = torch.randn(2, 8, 44, 44)
    assert torch.equal(stage(maps), stage.shortcut(maps))


def test_mini_xception_s_stage_has_its_order():
    stage = next(layer for layer in build_model("mini-xception").modules() if type(layer).__name__.endswith("Residual"))
    assert kinds(stage.shortcut) == ["Conv2d", "BatchNorm2d"]
    separable = ["Conv2d", "Conv2d", "BatchNorm2d"]
    assert kinds(stage.main) == [*separable, "ReLU", *separable, "MaxPool2d"]


def test_lenet_is_its_plan():
    network = build_model("lenet")
    dense = ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert kinds(network) == ["Conv2d", "Tanh", "AvgPool2d"] * 2 + ["Flatten"] + dense
    assert convolutions(network) == [(6, 5, 1), (16, 5, 1)]
    widths = [layer.out_features for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert widths == [120, 84, 7]


@pytest.mark.parametrize("name", ["simple-cnn", "simpler-cnn", "mini-xception", "lenet", "chen-resnet-mlp"])
def test_keras_default_start(name):
    torch.manual_seed(0)
    body = build_model(name).body
    for layer in leaves(body.fc if name == "chen-resnet-mlp" else body):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            positions = layer.weight[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
            groups = getattr(layer, "groups", 1)
            fan_in, fan_out = layer.weight.shape[1] * groups * positions, layer.weight.shape[0] // groups * positions
            limit = (6 / (fan_in + fan_out)) ** 0.5
            assert layer.weight.abs().max() <= limit + 1e-6
            if layer.weight.numel() > 1000:
                assert layer.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.05)
            assert layer.bias is None or not layer.bias.any()
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert (layer.momentum, layer.eps) == (0.1, 1e-3)


@pytest.mark.parametrize(("name", "blocks"), [("li-resnet50", [3, 4, 6, 3]), ("li-resnet101", [3, 4, 23, 3])])
def test_li_s_networks_are_the_standard_ones_with_seven_outputs(name, blocks):
    body = build_model(name).body
    assert [len(getattr(body, f"layer{stage}")) for stage in (1, 2, 3, 4)] == blocks
    assert body.fc.out_features == 7


def test_chen_s_head_is_the_paper_s():
    body = build_model("chen-resnet-mlp").body
    assert isinstance(body.avgpool, nn.Dropout)
    group = ["BatchNorm1d", "ReLU", "Dropout", "Linear"]
    assert kinds(body.fc) == ["BatchNorm1d", "Linear"] + group * 3
    sizes = [(layer.in_features, layer.out_features) for layer in body.fc if isinstance(layer, nn.Linear)]
    assert sizes == [(8192, 32), (32, 32), (32, 32), (32, 7)]
    assert {layer.p for layer in body.modules() if isinstance(layer, nn.Dropout)} == {0.5}


def test_chen_s_paper_recipe_trains_the_last_four_layers_and_the_head():
    from fercli.training.state import freeze

    body = build_model("chen-resnet-mlp").body
    freeze(body, load_catalogue().recipe("chen-resnet-mlp", "paper").frozen)
    assert sum(value.numel() for value in body.parameters() if value.requires_grad) == 1_333_767
    names = {name for name, value in body.named_parameters() if value.requires_grad and not name.startswith("fc.")}
    assert names == {"layer4.2.conv3.weight", "layer4.2.bn3.weight", "layer4.2.bn3.bias"}


def test_three_channels_are_the_gray_one_normalised_as_torchvision_does():
    from torchvision.models import ResNet50_Weights

    network = build_model("li-resnet50")
    seen: list[torch.Tensor] = []
    network.body.conv1.register_forward_hook(lambda _layer, inputs, _out: seen.append(inputs[0]))
    faces = torch.randint(0, 256, (2, 1, 48, 48), dtype=torch.uint8)
    network.eval()(faces)
    given = ResNet50_Weights.IMAGENET1K_V1.transforms()
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (given.mean, given.std))
    torch.testing.assert_close(seen[0], (faces.repeat(1, 3, 1, 1) / 255 - mean) / deviation)


def test_the_papers_settings_are_in_their_recipes():
    """What the papers state, setting by setting; what they leave open is not held here."""
    entries = load_catalogue().models.items()
    recipes = {name: entry.recipes["paper"] for name, entry in entries if entry.claims}
    for name in ("bah-resnet", "bah-basic"):
        bah = recipes[name]
        assert (bah.epochs, bah.batch_size, bah.class_weights, bah.early_stopping_patience) == (100, 64, True, 30)
        assert (bah.optimizer.name, bah.optimizer.lr, bah.optimizer.betas) == ("nadam", 1e-3, (0.9, 0.999))
        assert (bah.schedule.name, bah.schedule.patience, bah.schedule.min_lr) == ("plateau", 15, 1e-6)
        assert bah.checkpoint_metric == "accuracy"
        augment = bah.augment
        assert all((augment.flip, augment.rotate, augment.shift, augment.zoom, augment.brightness))
    chen = recipes["chen-resnet-mlp"]
    assert (chen.epochs, chen.batch_size, chen.optimizer.name, chen.val_fraction) == (50, 64, "adam", 0.2)
    assert (chen.augment.shift, chen.augment.rotate, chen.augment.flip, chen.pretrained) == (0.1, 15, False, "imagenet")
    for name in ("xu-rescnn", "xu-rescnn-54895", "simple-cnn", "simpler-cnn", "mini-xception", "lenet"):
        assert recipes[name].epochs == 100
        assert recipes[name].augment.flip
        assert recipes[name].augment.rotate > 0
        assert recipes[name].augment.shift > 0
    for name, start in (("li-resnet50", "none"), ("li-resnet101", "imagenet")):
        assert (recipes[name].pretrained, recipes[name].frozen) == (start, ())


def test_preact_resnet10_has_ten_layers_with_weights():
    network = build_model("preact-resnet10")
    assert kinds(network)[:3] == ["Conv2d", "BatchNorm2d", "Conv2d"]
    assert kinds(network)[-5:] == ["BatchNorm2d", "ReLU", "AdaptiveAvgPool2d", "Flatten", "Linear"]
    shortcuts = [(64, 1, 2), (128, 1, 2), (256, 1, 2)]
    found = convolutions(network)
    assert [one for one in found if one[1] == 1] == shortcuts
    rows = [
        (32, 5, 2),
        (32, 3, 1),
        (32, 3, 1),
        (64, 3, 2),
        (64, 3, 1),
        (128, 3, 2),
        (128, 3, 1),
        (256, 3, 2),
        (256, 3, 1),
    ]
    assert [one for one in found if one[1] > 1] == rows


def test_preact_resnet18_has_a_second_block_of_one_shape_in_each_stage():
    found = convolutions(build_model("preact-resnet18"))
    assert len([one for one in found if one[1] > 1]) + 1 == 18
    assert [channels for channels, kernel, stride in found if (kernel, stride) == (3, 1)] == [
        *[32] * 4, *[64] * 3, *[128] * 3, *[256] * 3
    ]  # fmt: skip


def test_a_pre_activation_block_adds_its_very_input_or_a_shortcut_of_what_is_activated():
    first, second = [layer.eval() for layer in build_model("preact-resnet10").body if hasattr(layer, "conv2")][:2]
    for block in (first, second):
        nn.init.zeros_(block.conv2.weight)
    maps = torch.randn(2, 32, 24, 24)
    assert torch.equal(first(maps), maps)
    assert torch.equal(second(maps), second.shortcut(torch.relu(second.norm1(maps))))


def test_vgg14_has_fourteen_layers_with_weights_and_dropout_after_each_stage():
    network = build_model("vgg14")
    rows = [(32,) * 2, (64,) * 2, (128,) * 3, (256,) * 3, (384,) * 2]
    assert convolutions(network) == [(channels, 3, 1) for stage in rows for channels in stage]
    dense = [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert dense == [(384, 256), (256, 7)]
    names = kinds(network)
    assert [names[at - 1] for at, name in enumerate(names) if name == "Dropout"] == ["MaxPool2d"] * 5 + ["ReLU"]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.2}

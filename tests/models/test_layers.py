"""Layers that several families share."""

import pytest
import torch
from torch import nn

from fercli.models.layers import Conv2d


# PyTorch's advice to those who have the first release of Python 3.13
@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0:RuntimeWarning")
def test_a_compiled_convolution_gives_the_plain_one_s_output_and_gradients():
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    ours = Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    ours.load_state_dict(plain.state_dict())
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph

    maps = torch.randn(5, 4, 9, 9)
    torch.testing.assert_close(torch.compile(ours, backend=backend)(maps), plain(maps))
    for network in (torch.compile(ours, backend=backend), plain):
        network(maps).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
    torch.testing.assert_close(ours.bias.grad, plain.bias.grad)
    # the addition is a step of its own there, and only there
    assert any("add" in str(node.target) for node in graphs[0].graph.nodes)

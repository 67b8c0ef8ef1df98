import numpy as np
import pytest

from fercli.core.labels import EXPRESSIONS
from fercli.core.palette import EXPRESSION_COLOURS, colours, contrast, ink_on

#: How colours look without one kind of cones, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SIMULATIONS = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
#: The sides of a page, light and dark.
GROUNDS = ("#ffffff", "#f4f6f8", "#14181d", "#1f252c")


def oklab(linear):
    """Linear RGB [N, 3] in a space in which distances are as people see them (Ottosson 2020)."""
    cones = np.clip(linear, 0, 1) @ np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    ).T  # fmt: skip
    return np.cbrt(cones) @ np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    ).T  # fmt: skip


@pytest.mark.parametrize("cones", SIMULATIONS)
def test_the_seven_expressions_are_told_apart_without_one_kind_of_cones(cones):
    rgb = np.array([list(bytes.fromhex(colour[1:])) for colour in colours(EXPRESSIONS)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = oklab(linear @ np.array(SIMULATIONS[cones]).T)
    apart = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(len(seen), 1)]
    assert apart.min() > 0.1  # a just noticeable difference is about 0.02


def test_expressions_are_seen_on_light_and_dark_ground():
    for colour in colours(EXPRESSIONS):
        assert min(contrast(colour, ground) for ground in GROUNDS) > 1.5


def test_text_can_be_read_on_every_colour():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for colour in (*EXPRESSION_COLOURS.values(), *colours([f"class {i}" for i in range(6)])):
        assert contrast(ink_on(colour), colour) >= 4.5


def test_a_label_that_is_no_class_has_a_colour_of_its_own():
    assert len(set(colours((*EXPRESSIONS, "contempt", "unsure", "bored")))) == 10

"""A model card: figures between its markers, and what is written by hand around them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.model_card import CARDS, Measured, blocks, facts, filled
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.models.weights import read_header
from fercli.workflows.evaluate.evaluation import measure
from fercli.workflows.evaluate.robustness import measure_robustness

CARD = """# A card
By hand.
<!-- begin one -->
old
<!-- end one -->
Between.
<!-- begin two -->
<!-- end two -->
After.
"""


def test_blocks_are_replaced_and_the_rest_stays():
    once = filled(CARD, {"one": "| a |", "two": r"\1 and \g<name>"})
    assert once == CARD.replace("old", "| a |").replace("two -->\n<!-- end", "two -->\n\\1 and \\g<name>\n<!-- end")
    assert filled(once, {"one": "| a |", "two": r"\1 and \g<name>"}) == once


@pytest.mark.parametrize("blocks", [{"one": "x"}, {"one": "x", "two": "y", "three": "z"}])
def test_a_block_too_few_or_too_many_is_no_card(blocks):
    with pytest.raises(ValueError, match="the card has markers for one, two"):
        filled(CARD, blocks)


def test_what_is_measured_stands_in_the_card():
    faces = cartoon(4, 1)
    model, mirrored = load_model("xu-rescnn"), load_model("xu-rescnn", mirrored=True)
    single, both = measure(model, faces, "val"), measure(mirrored, faces, "val")
    both = replace(both, robustness=measure_robustness(mirrored, faces, both.predictions, ("dark", "mouth")))
    measured = Measured(load_catalogue()["xu-rescnn"], read_header(model.path), single, both, both)
    made = blocks(measured)
    card = filled((CARDS / "xu-rescnn.md").read_text(encoding="utf-8"), made)
    accuracy = f"{100 * single.scores.accuracy:.2f} %"
    assert re.search(rf"^\| single \| 28 \| {accuracy} \(", card, re.MULTILINE)
    happy = both.scores.per_class[3]
    assert f"| happy | 4 | {100 * single.scores.per_class[3].recall:.1f} % (" in made["classes"]
    assert f"{100 * happy.precision:.1f} % | {happy.f1:.3f} |" in made["classes"]
    assert "| dark | 50 % light: " in made["corruptions"]
    assert "`fer eval --model xu-rescnn --data fer2013 --split val --tta --corrupt`" in made["corruptions"]
    assert "fer train --model xu-rescnn --data fer2013" in made["facts"]
    for block in made.values():
        cells = [row.count("|") for row in block.splitlines() if row.startswith("|")]
        assert len(set(cells)) <= 1, "every row has the table's columns"
    without = blocks(replace(measured, mirrored=replace(both, robustness=None)))
    assert made.keys() - without.keys() == {"corruptions"}
    assert "Corruptions" in made["weak"]
    assert "Corruptions" not in without["weak"]


def test_every_set_and_network_that_was_learned_from_is_named():
    header = read_header(load_model(None).path)
    reading = {"data": "fer2013+ferplus-mixed", "set": "fer2013", "reading": {"labels": "ferplus-mixed"}}
    beside = replace(
        header, training={**header.training, **reading, "extra": {"set": "muxspace"}, "teacher": "li, sha256 0"}
    )
    measured = measure(load_model(None), cartoon(4, 1), "val")
    text = "\n".join(facts(Measured(load_catalogue()["xu-rescnn"], beside, measured, measured, measured)))
    assert re.findall(r"\| data \| `(\w+)`", text) == ["fer2013", "muxspace"]
    assert text.count("| terms |") == 2
    assert "| taught by | li, sha256 0 |" in text
    assert "| labels | `--labels ferplus-mixed` |" in text


def test_every_network_that_ships_has_a_card():
    shipped = {name for name, entry in load_catalogue().models.items() if entry.weights}
    assert shipped <= {path.stem for path in Path(CARDS).glob("*.md")}

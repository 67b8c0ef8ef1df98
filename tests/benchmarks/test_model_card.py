"""A model card: figures between its markers, and what is written by hand around them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.face_quality import EDGES, FindOnce, Quality, tables
from benchmarks.model_card import CARDS, Measured, blocks, facts, filled, standing
from fercli.core.errors import PictureError
from fercli.data.cartoon import cartoon
from fercli.faces.detection import Detection
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.models.weights import read_header
from fercli.workflows.evaluate.evaluation import measure
from fercli.workflows.evaluate.robustness import measure_robustness
from fercli.workflows.predict.results import make_prediction

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


def predicted(label: str, side: float, blur: float):
    """A frontal face of this size that is taken for `label`."""
    landmarks = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    detection = Detection((0, 0, side, side), tuple((side * x, side * y) for x, y in landmarks), 1.0)
    return make_prediction(1, detection, {label: 0.9, "other": 0.1}, blur)


#: Of two photographs, one has a face that is found at a twelfth of its size too.
QUALITY = Quality(
    2,
    (
        *[("x 1", "happy", predicted("happy", 50, 0.35)), ("x 1", "sad", predicted("happy", 95, 0.55))],
        *[("x 0.083", "happy", predicted("sad", 15, 0.1)), ("blur 0.01", "happy", predicted("sad", 50, 0.65))],
    ),
)


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
    measured = Measured(load_catalogue()["xu-rescnn"], read_header(model.path), single, both, both, QUALITY)
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
    assert "`python -m benchmarks.face_quality --model xu-rescnn`:\n\nFaces found in the 2" in made["quality"]
    assert standing(card)["quality"].strip() == made["quality"].strip()
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
    text = "\n".join(facts(Measured(load_catalogue()["xu-rescnn"], beside, measured, measured, measured, QUALITY)))
    assert re.findall(r"\| data \| `(\w+)`", text) == ["fer2013", "muxspace"]
    assert text.count("| terms |") == 2
    assert "| taught by | li, sha256 0 |" in text
    assert "| labels | `--labels ferplus-mixed` |" in text


def test_every_network_that_ships_has_a_card_without_an_empty_block():
    shipped = {name for name, entry in load_catalogue().models.items() if entry.weights}
    assert shipped <= {path.stem for path in Path(CARDS).glob("*.md")}
    for name in shipped:
        blocks = standing((CARDS / f"{name}.md").read_text(encoding="utf-8"))
        assert {"facts", "overall", "quality"} <= blocks.keys()
        assert all(text.strip() for text in blocks.values()), name


def test_faces_count_by_what_was_varied():
    """A picture made smaller counts for the size alone, a blurred one for the blur alone."""
    first, *rows = tables(QUALITY)
    assert first == "Faces found in the 2 photographs: 100 % at their own size, 0 % at an eighth, 50 % at a twelfth."
    wilson_of_one = {True: "100.0 % (20.7 to 100.0)", False: "0.0 % (0.0 to 79.3)"}
    assert [row.removesuffix(" | - |") for row in rows if row.endswith(" - |")] == [
        f"| 0 to 20 | 1 | {wilson_of_one[False]}",
        f"| 40 to 60 | 1 | {wilson_of_one[True]}",
        f"| 90 and more | 1 | {wilson_of_one[False]}",
        f"| 0.3 to 0.4 | 1 | {wilson_of_one[True]}",
        f"| 0.5 to 0.6 | 1 | {wilson_of_one[False]}",
        f"| 0.6 to 0.7 | 1 | {wilson_of_one[False]}",
        "| 0 to 10 | 2 | 50.0 % (9.5 to 90.5)",
    ]
    assert sum(row.startswith("| `") for row in rows) == len(EDGES)


def test_a_picture_is_searched_once():
    searched: list[int] = []

    class Finder:
        def find_all(self, pictures):
            searched.append(len(pictures))
            return [PictureError(str(picture.mean())) for picture in pictures]

    pictures = [np.full(shape, value, np.uint8) for shape, value in (((2, 8, 3), 1), ((8, 2, 3), 1), ((2, 8, 3), 2))]
    finder = FindOnce(Finder())
    first = finder.find_all(pictures[:2])
    again = finder.find_all(pictures[::-1])
    assert searched == [2, 1]
    assert again[1:] == first[::-1]
    assert finder.find_all([]) == []

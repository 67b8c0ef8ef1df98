"""FER+ votes on FER2013's rows: majorities, shares, and votes that belong elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.config import Reading
from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet
from fercli.data.ferplus import find_votes, with_mixed_votes, with_votes
from fercli.data.sets import load_faces

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
#: Where the file has our classes: angry, disgust, fear, happy, sad, surprise, neutral, contempt, unknown, NF.
ORDER = [4, 5, 6, 1, 3, 2, 0, 7, 8, 9]


def in_file_order(votes):
    """A row of votes in our order of classes, as the file has them."""
    out = [0] * 10
    for place, vote in zip(ORDER, votes, strict=True):
        out[place] = vote
    return out


def write_votes(path, rows, usages=None):
    usages = usages or ["Training"] * len(rows)
    lines = [f"{usage},,{','.join(map(str, in_file_order(row)))}" for usage, row in zip(usages, rows, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def faces_of(labels, usages=None):
    usages = usages or ["Training"] * len(labels)
    return FaceSet(
        name="fer2013",
        images=np.zeros((len(labels), 1, 48, 48), np.uint8),
        labels=np.array(labels, np.int64),
        classes=EXPRESSIONS,
        ids=tuple(f"{usage}_{row}" for row, usage in enumerate(usages)),
    )


ROWS = [
    [6, 4, 0, 0, 0, 0, 0, 0, 0, 0],  # angry
    [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],  # a tie
    [0, 0, 0, 3, 0, 0, 2, 0, 5, 0],  # unknown
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],  # not a face
    [0, 0, 0, 1, 0, 0, 2, 7, 0, 0],  # contempt
    [0, 0, 0, 1, 0, 0, 6, 2, 1, 0],  # neutral
]


def test_the_majority_is_the_label(tmp_path):
    faces = with_votes(
        faces_of([0, 0, 3, 6, 6, 3]), write_votes(tmp_path / "v.csv", ROWS), soft=False, keep_contempt=False
    )
    assert faces.ids == ("Training_0", "Training_5")
    assert [faces.classes[label] for label in faces.labels] == ["angry", "neutral"]
    assert faces.classes == EXPRESSIONS
    assert faces.targets is None
    assert faces.name == "fer2013+ferplus"
    assert "left out 4 of 6 faces: ties 1, contempt 1, unknown 1, not a face 1" in faces.notes
    assert any("50.0%" in note for note in faces.notes)


def test_contempt_may_stay(tmp_path):
    faces = with_votes(
        faces_of([0, 0, 3, 6, 6, 3]), write_votes(tmp_path / "v.csv", ROWS), soft=False, keep_contempt=True
    )
    assert faces.classes == (*EXPRESSIONS, "contempt")
    assert [faces.classes[label] for label in faces.labels] == ["angry", "contempt", "neutral"]


def test_shares_are_targets(tmp_path):
    path = write_votes(tmp_path / "v.csv", ROWS)
    faces = with_votes(faces_of([0, 0, 3, 6, 6, 3]), path, soft=True, keep_contempt=False)
    assert faces.targets.dtype == np.float32
    assert faces.targets[0].tolist() == pytest.approx([0.6, 0.4, 0, 0, 0, 0, 0])
    # contempt and unknown have no share: 1 and 6 of the 7 votes that remain
    assert faces.targets[1].tolist() == pytest.approx([0, 0, 0, 1 / 7, 0, 0, 6 / 7])
    kept = with_votes(faces_of([0, 0, 3, 6, 6, 3]), path, soft=True, keep_contempt=True)
    assert kept.targets[2].tolist() == pytest.approx([0, 0, 0, 1 / 9, 0, 0, 6 / 9, 2 / 9])


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=20), st.booleans())
@settings(max_examples=40, deadline=None)
def test_nobody_is_lost_and_winners_win(tmp_path_factory, rows, keep):
    path = write_votes(tmp_path_factory.mktemp("votes") / "v.csv", rows)
    faces = with_votes(faces_of([0] * len(rows)), path, soft=True, keep_contempt=keep)
    classes = 8 if keep else 7
    winners = [votes.index(max(votes)) if votes.count(max(votes)) == 1 else 9 for votes in rows]
    expected = [row for row, winner in enumerate(winners) if winner < classes]
    assert faces.ids == tuple(f"Training_{row}" for row in expected)
    assert faces.labels.tolist() == [winners[row] for row in expected]
    assert np.allclose(faces.targets.sum(axis=1), 1)
    assert (faces.targets.argmax(axis=1) == faces.labels).all()


def test_mixed_votes_leave_labels_and_faces_alone(tmp_path):
    labels = [0, 0, 3, 6, 6, 3]
    faces = with_mixed_votes(faces_of(labels), write_votes(tmp_path / "v.csv", ROWS))
    assert faces.labels.tolist() == labels
    assert faces.classes == EXPRESSIONS
    assert faces.name == "fer2013+ferplus-mixed"
    assert faces.targets.dtype == np.float32
    assert faces.targets[0].tolist() == pytest.approx([0.8, 0.2, 0, 0, 0, 0, 0])
    # three votes for happy and two for neutral count, the five for unknown do not
    assert faces.targets[2].tolist() == pytest.approx([0, 0, 0, 0.5 + 0.3, 0, 0, 0.2])
    # ten votes for 'not a face' say nothing of the expression
    assert faces.targets[3].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert faces.targets[5].tolist() == pytest.approx([0, 0, 0, 0.5 + 0.5 / 7, 0, 0, 3 / 7])
    assert np.allclose(faces.targets.sum(axis=1), 1)
    assert any("which 1 faces lack" in note for note in faces.notes)


def test_rows_of_absent_usages_are_passed_over(tmp_path):
    path = write_votes(tmp_path / "v.csv", [ROWS[0], ROWS[5]], ["Training", "PrivateTest"])
    assert len(with_votes(faces_of([0]), path, soft=False, keep_contempt=False)) == 1


def test_votes_of_other_rows_are_noticed(tmp_path):
    labels = np.random.default_rng(0).integers(0, 7, 1200)
    rows = [[10 * (place == label) for place in range(10)] for label in labels]
    right = write_votes(tmp_path / "right.csv", rows)
    assert len(with_votes(faces_of(labels.tolist()), right, soft=False, keep_contempt=False)) == 1200
    # a row lost in the middle and another one at the end: the count is right, half of the rows are not
    moved = write_votes(tmp_path / "moved.csv", [*rows[:600], *rows[601:], rows[0]])
    with pytest.raises(DataError, match="rows are missing or moved"):
        with_votes(faces_of(labels.tolist()), moved, soft=False, keep_contempt=False)
    with pytest.raises(DataError, match="rows are missing or moved"):
        with_mixed_votes(faces_of(labels.tolist()), moved)


@pytest.mark.parametrize(
    ("rows", "usages"), [(ROWS[:5], None), (ROWS, ["Training"] * 5 + ["PublicTest"]), (ROWS + ROWS, None)]
)
def test_votes_of_another_number_or_order_are_noticed(tmp_path, rows, usages):
    faces = faces_of([0] * 6, ["Training"] * 6)
    with pytest.raises(DataError, match="do not belong to these faces"):
        with_votes(faces, write_votes(tmp_path / "v.csv", rows, usages), soft=False, keep_contempt=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column Usage"),
        ("a,b\n1,2\n", "is it FER"),
        (HEADER + "\nTraining,,1,2,x,0,0,0,0,0,0,0\n", "row 1: votes must be whole numbers"),
        (HEADER + "\nTraining,,1,2\n", "is the file cut off"),
    ],
)
def test_a_file_that_is_something_else(tmp_path, text, message):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        with_votes(faces_of([0]), tmp_path / "v.csv", soft=False, keep_contempt=False)


def test_votes_go_by_rows_of_the_csv_file(tmp_path, draw):
    draw(tmp_path / "fer2013/train/happy/Training_17.png")
    draw(tmp_path / "fer2013/train/sad/Training_3.png", 1)
    write_votes(tmp_path / "fer2013new.csv", ROWS[:2])
    with pytest.raises(DataError, match=r"give fer2013\.csv"):
        load_faces("fer2013", tmp_path, Reading(labels="ferplus"))


def test_through_load_faces(tmp_path, rows, write_csv):
    write_csv(tmp_path / "fer2013/fer2013.csv", rows)
    votes = [[10 * (place == number % 7) for place in range(10)] for number in range(12)]
    with pytest.raises(DataError, match=r"no FER\+ votes in .*microsoft/FERPlus"):
        load_faces("fer2013", tmp_path, Reading(labels="ferplus"))
    write_votes(tmp_path / "ferplus/fer2013new.csv", votes, [row[2] for row in rows])
    assert find_votes(tmp_path).parent.name == "ferplus"
    faces = load_faces("fer2013", tmp_path, Reading(labels="ferplus-soft"))
    assert faces.name == "fer2013+ferplus-soft"
    assert len(faces) == 12
    assert (faces.targets.argmax(axis=1) == faces.labels).all()
    assert load_faces("fer2013", tmp_path, Reading(labels="ferplus-mixed")).name == "fer2013+ferplus-mixed"
    for labels in ("own", "ferplus-mixed"):
        with pytest.raises(UsageError, match="--keep-contempt goes with"):
            load_faces("fer2013", tmp_path, Reading(labels=labels, keep_contempt=True))


def test_the_real_votes(real):
    if not list(real.rglob("fer2013new.csv")):
        pytest.skip("no fer2013new.csv in FER_DATA")
    faces = load_faces("fer2013", real, Reading(labels="ferplus"))
    train, val = (np.bincount(faces.labels[faces.parts == part]).tolist() for part in ("train", "val"))
    assert train == [2399, 175, 648, 7410, 3403, 3378, 9365]
    assert val == [310, 31, 73, 880, 395, 441, 1242]

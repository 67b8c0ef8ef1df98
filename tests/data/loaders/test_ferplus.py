"""FER+ votes on FER2013's rows: majorities, probabilities, and votes that belong elsewhere."""

import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.cli import options
from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.loaders.ferplus import apply_mixed_votes, apply_votes, find_votes

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
#: Where the file has our classes: angry, disgust, fear, happy, sad, surprise, neutral, contempt, unknown, NF.
ORDER = [4, 5, 6, 1, 3, 2, 0, 7, 8, 9]


def in_file_order(votes):
    """A row of votes in our order of classes, as the file has them."""
    out = [0] * 10
    for column, vote in zip(ORDER, votes, strict=True):
        out[column] = vote
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


LABELS = [0, 0, 3, 6, 6, 3]


def read(tmp_path, rule, rows=ROWS, labels=LABELS, keep_contempt=False, usages=None):
    path = write_votes(tmp_path / "v.csv", rows, usages)
    return apply_votes(faces_of(labels, usages), path, rule, keep_contempt=keep_contempt)


@pytest.mark.parametrize(
    ("rule", "left_out"),
    [
        ("ferplus", "no majority 2, contempt 1, not a face 1"),
        ("ferplus-plurality", "ties 1, contempt 1, unknown 1, not a face 1"),
        ("ferplus-soft", "ties 1, contempt 1, unknown 1, not a face 1"),
    ],
)
def test_votes_are_the_labels(tmp_path, rule, left_out):
    faces = read(tmp_path, rule)
    assert faces.ids == ("Training_0", "Training_5")
    assert [faces.classes[label] for label in faces.labels] == ["angry", "neutral"]
    assert faces.classes == EXPRESSIONS
    assert (faces.targets is None) == (rule != "ferplus-soft")
    assert faces.name == f"fer2013+{rule}"
    assert f"left out 4 of 6 faces: {left_out}" in faces.notes
    assert any("50.0%" in note for note in faces.notes)


@pytest.mark.parametrize("rule", ["ferplus", "ferplus-plurality", "ferplus-soft"])
def test_contempt_may_stay(tmp_path, rule):
    faces = read(tmp_path, rule, keep_contempt=True)
    assert faces.classes == (*EXPRESSIONS, "contempt")
    assert [faces.classes[label] for label in faces.labels] == ["angry", "contempt", "neutral"]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([5, 1, 1, 1, 0, 0, 2, 0, 0, 0], "angry"),  # 5 of the 7 that are no single ones
        ([5, 1, 0, 0, 0, 0, 4, 0, 0, 0], "angry"),  # 5 of 9
        ([5, 0, 0, 0, 0, 0, 3, 2, 0, 0], None),  # half is not more than half: contempt counts,
        ([5, 0, 0, 0, 0, 0, 3, 0, 2, 0], None),  # unknown counts,
        ([5, 0, 0, 0, 0, 0, 3, 0, 0, 2], None),  # not a face counts
        ([2, 1, 1, 1, 1, 1, 1, 1, 1, 0], "angry"),  # two people agree, no others do
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], None),
        ([4, 0, 0, 0, 0, 0, 3, 0, 3, 0], None),
    ],
)
def test_a_majority_is_more_than_half_of_what_two_or_more_say(tmp_path, votes, label):
    faces = read(tmp_path, "ferplus", [votes], [0])
    assert [faces.classes[face] for face in faces.labels] == ([label] if label else [])


def test_probabilities_are_targets_of_those_that_two_or_more_say(tmp_path):
    faces = read(tmp_path, "ferplus-soft")
    assert faces.targets.dtype == np.float32
    assert faces.targets[0].tolist() == pytest.approx([0.6, 0.4, 0, 0, 0, 0, 0])
    # the single vote for happy is dropped, contempt and unknown have no probability
    assert faces.targets[1].tolist() == [0, 0, 0, 0, 0, 0, 1]
    kept = read(tmp_path, "ferplus-soft", keep_contempt=True)
    assert kept.targets[2].tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 6 / 8, 2 / 8])


@pytest.mark.parametrize("usage", ["PublicTest", "PrivateTest"])
def test_soft_labels_are_measured_by_majorities(tmp_path, usage):
    divided = [4, 3, 0, 3, 0, 0, 0, 0, 0, 0]
    faces = read(
        tmp_path,
        "ferplus-soft",
        [divided, ROWS[0], divided, ROWS[0]],
        [0] * 4,
        usages=["Training", "Training", usage, usage],
    )
    assert faces.ids == ("Training_0", "Training_1", f"{usage}_3")
    assert "left out 1 of 4 faces: no majority 1" in faces.notes


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=20), st.booleans())
@settings(max_examples=40, deadline=None)
def test_nobody_is_lost_and_winners_win(tmp_path_factory, rows, keep):
    folder, labels = tmp_path_factory.mktemp("votes"), [0] * len(rows)
    classes = 8 if keep else 7

    def expected(winners):
        kept = [row for row, winner in enumerate(winners) if winner < classes]
        return tuple(f"Training_{row}" for row in kept), [winners[row] for row in kept]

    agreed = [[vote if vote > 1 else 0 for vote in votes] for votes in rows]
    majority = [next((c for c in range(10) if 2 * votes[c] > sum(votes)), 9) for votes in agreed]
    faces = read(folder, "ferplus", rows, labels, keep)
    assert (faces.ids, faces.labels.tolist()) == expected(majority)
    for rule, counted in (("ferplus-plurality", rows), ("ferplus-soft", agreed)):
        most = [votes.index(max(votes)) if votes.count(max(votes)) == 1 else 9 for votes in counted]
        faces = read(folder, rule, rows, labels, keep)
        assert (faces.ids, faces.labels.tolist()) == expected(most)
    assert np.allclose(faces.targets.sum(axis=1), 1)
    assert (faces.targets.argmax(axis=1) == faces.labels).all()


def test_mixed_votes_leave_labels_and_faces_alone(tmp_path):
    labels = [0, 0, 3, 6, 6, 3]
    faces = apply_mixed_votes(faces_of(labels), write_votes(tmp_path / "v.csv", ROWS))
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
    assert len(apply_votes(faces_of([0]), path, "ferplus", keep_contempt=False)) == 1


def test_votes_of_other_rows_are_noticed(tmp_path):
    labels = np.random.default_rng(0).integers(0, 7, 1200)
    rows = [[10 * (column == label) for column in range(10)] for label in labels]
    right = write_votes(tmp_path / "right.csv", rows)
    assert len(apply_votes(faces_of(labels.tolist()), right, "ferplus", keep_contempt=False)) == 1200
    # a row lost in the middle and another one at the end: the count is right, half of the rows are not
    moved = write_votes(tmp_path / "moved.csv", [*rows[:600], *rows[601:], rows[0]])
    with pytest.raises(DataError, match="rows are missing or moved"):
        apply_votes(faces_of(labels.tolist()), moved, "ferplus", keep_contempt=False)
    with pytest.raises(DataError, match="rows are missing or moved"):
        apply_mixed_votes(faces_of(labels.tolist()), moved)


@pytest.mark.parametrize(
    ("rows", "usages"), [(ROWS[:5], None), (ROWS, ["Training"] * 5 + ["PublicTest"]), (ROWS + ROWS, None)]
)
def test_votes_of_another_number_or_order_are_noticed(tmp_path, rows, usages):
    faces = faces_of([0] * 6, ["Training"] * 6)
    with pytest.raises(DataError, match="do not belong to these faces"):
        apply_votes(faces, write_votes(tmp_path / "v.csv", rows, usages), "ferplus", keep_contempt=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column Usage"),
        ("a,b\n1,2\n", "is it FER"),
        (HEADER + "\nTraining,,1,2,x,0,0,0,0,0,0,0\n", "row 1: votes must be whole numbers"),
        (HEADER + "\nTraining,,1,2\n", "is the file cut off"),
        (HEADER + "\nTraining,,1,2,-1,0,0,0,0,0,0,0\n", "row 1: there is a negative number of votes"),
    ],
)
def test_a_file_that_is_something_else(tmp_path, text, message):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        apply_votes(faces_of([0]), tmp_path / "v.csv", "ferplus", keep_contempt=False)


def test_votes_go_by_rows_of_the_csv_file(tmp_path, draw):
    draw(tmp_path / "fer2013/train/happy/Training_17.png")
    draw(tmp_path / "fer2013/train/sad/Training_3.png", 1)
    write_votes(tmp_path / "fer2013new.csv", ROWS[:2])
    with pytest.raises(DataError, match=r"give fer2013\.csv"):
        load_faces("fer2013", tmp_path, LoadOptions(labels="ferplus"))


def test_through_load_faces(tmp_path, rows, write_csv):
    write_csv(tmp_path / "fer2013/fer2013.csv", rows)
    votes = [[10 * (column == number % 7) for column in range(10)] for number in range(12)]
    with pytest.raises(DataError, match=r"no FER\+ votes in .*microsoft/FERPlus"):
        load_faces("fer2013", tmp_path, LoadOptions(labels="ferplus"))
    write_votes(tmp_path / "ferplus/fer2013new.csv", votes, [row[2] for row in rows])
    assert find_votes(tmp_path).parent.name == "ferplus"
    faces = load_faces("fer2013", tmp_path, LoadOptions(labels="ferplus-soft"))
    assert faces.name == "fer2013+ferplus-soft"
    assert len(faces) == 12
    assert (faces.targets.argmax(axis=1) == faces.labels).all()
    assert load_faces("fer2013", tmp_path, LoadOptions(labels="ferplus-mixed")).name == "fer2013+ferplus-mixed"
    for labels in ("own", "ferplus-mixed"):
        with pytest.raises(UsageError, match="--keep-contempt goes with"):
            load_faces("fer2013", tmp_path, LoadOptions(labels=labels, keep_contempt=True))


@pytest.mark.parametrize(
    ("rule", "train", "val"),
    [
        ("ferplus", [2100, 119, 532, 7287, 3014, 3149, 8740], [287, 24, 62, 865, 351, 415, 1182]),
        ("ferplus-plurality", [2399, 175, 648, 7410, 3403, 3378, 9365], [310, 31, 73, 880, 395, 441, 1242]),
        ("ferplus-soft", [2399, 175, 648, 7410, 3403, 3378, 9365], [287, 24, 62, 865, 351, 415, 1182]),
    ],
)
def test_the_real_votes(real, rule, train, val):
    if not list(real.rglob("fer2013new.csv")):
        pytest.skip("no fer2013new.csv in FER_DATA")
    faces = load_faces("fer2013", real, LoadOptions(labels=rule))
    assert np.bincount(faces.labels[faces.splits == "train"]).tolist() == train
    assert np.bincount(faces.labels[faces.splits == "val"]).tolist() == val


def test_the_real_majorities_are_as_many_as_their_authors_have(real):
    """25,060 and 3,199 faces of eight classes are what microsoft/FERPlus keeps of Training and PublicTest."""
    if not list(real.rglob("fer2013new.csv")):
        pytest.skip("no fer2013new.csv in FER_DATA")
    eight = load_faces("fer2013", real, LoadOptions(labels="ferplus", keep_contempt=True))
    assert [int((eight.splits == split).sum()) for split in ("train", "val")] == [25_060, 3_199]
    seven = load_faces("fer2013", real, LoadOptions(labels="ferplus"))
    assert int((seven.splits != "test").sum()) == 28_127


def test_the_flag_and_the_settings_have_the_same_words():
    typed = typing.get_args(typing.get_args(options.Labels)[0])[0]
    assert typing.get_args(typed) == typing.get_args(LoadOptions.model_fields["labels"].annotation)

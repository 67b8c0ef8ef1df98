"""Splits: whole, stratified, by person, and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fercli.core.errors import DataError
from fercli.data.cartoon import cartoon
from fercli.data.splits import EXTRA_SEED, assign_splits, read_split, split_extra, write_split

#: The fixture only makes sets, so examples may share it.
quick = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def counts(splits) -> dict[str, int]:
    return {str(split): int((splits == split).sum()) for split in np.unique(splits)}


def shuffled(faces, seed=0):
    order = np.random.default_rng(seed).permutation(len(faces))
    return replace(
        faces,
        images=faces.images[order],
        labels=faces.labels[order],
        ids=tuple(faces.ids[face] for face in order),
        subjects=faces.subjects and tuple(faces.subjects[face] for face in order),
        splits=None if faces.splits is None else faces.splits[order],
    )


@quick
@given(labels=st.lists(st.integers(0, 6), min_size=1, max_size=80), seed=st.integers(0, 2**40))
def test_by_image_every_class_is_in_every_split_if_it_has_three(make_set, labels, seed):
    faces = make_set(labels)
    splits = assign_splits(faces, seed)
    for label in set(labels):
        of_class = splits[faces.labels == label]
        assert "train" in of_class
        if len(of_class) >= 3:
            assert set(of_class) == {"train", "val", "test"}
            assert (of_class == "test").sum() == max(1, int(len(of_class) * 0.1 + 0.5))


@quick
@given(labels=st.lists(st.integers(0, 6), min_size=1, max_size=60), seed=st.integers(0, 99), order=st.integers(0, 99))
def test_the_order_of_the_faces_has_no_say(make_set, labels, seed, order):
    faces = make_set(labels)
    other = shuffled(faces, order)
    assert dict(zip(faces.ids, assign_splits(faces, seed), strict=True)) == dict(
        zip(other.ids, assign_splits(other, seed), strict=True)
    )


def test_nor_has_it_with_persons():
    faces = cartoon(20, 1)
    other = shuffled(faces)
    assert dict(zip(faces.ids, assign_splits(faces, 3), strict=True)) == dict(
        zip(other.ids, assign_splits(other, 3), strict=True)
    )


def test_80_10_10_of_each_class(make_set):
    splits = assign_splits(make_set([label for label in range(7) for _ in range(100)]), 0, group="image")
    assert counts(splits) == {"test": 70, "train": 560, "val": 70}


def test_a_set_may_have_other_fractions(make_set):
    faces = make_set([label for label in range(7) for _ in range(100)])
    assert counts(assign_splits(replace(faces, fractions=(0.05, 0.05)), 0)) == {"test": 35, "train": 630, "val": 35}
    assert counts(assign_splits(replace(faces, fractions=(0.2, 0.3)), 0)) == {"test": 210, "train": 350, "val": 140}


def test_known_draws_stay_as_they_are(make_set):
    """Somebody's split must not change under them with a new version."""
    faces = make_set([0] * 10 + [1] * 10)
    splits = assign_splits(faces, 0)
    drawn = {split: [faces.ids[face] for face in np.flatnonzero(splits == split)] for split in ("val", "test")}
    assert drawn == {"val": ["f002", "f018"], "test": ["f001", "f011"]}


def test_another_seed_another_split(make_set):
    faces = make_set([0] * 100)
    assert (assign_splits(faces, 0) != assign_splits(faces, 1)).any()


@pytest.mark.parametrize("group", ["auto", "subject"])
@pytest.mark.parametrize("seed", range(5))
def test_a_person_is_in_one_split_only(group, seed):
    faces = cartoon(20, 2)
    splits = assign_splits(faces, seed, group=group)
    subjects = np.array(faces.subjects)
    assert {split: len(set(subjects[splits == split])) for split in ("train", "val", "test")} == {
        "train": 16, "val": 2, "test": 2,
    }  # fmt: skip
    assert len({(subject, split) for subject, split in zip(faces.subjects, splits.tolist(), strict=True)}) == 20


def test_by_image_persons_are_in_several_splits():
    faces = cartoon(20, 2)
    splits = assign_splits(faces, 0, group="image")
    assert len(set(zip(faces.subjects, splits.tolist(), strict=True))) > 20


def test_uneven_persons_make_splits_of_about_the_right_size(make_set):
    draws = np.random.default_rng(0)
    subjects = [f"p{number:03}" for number in range(200) for _ in range(draws.integers(1, 10))]
    faces = replace(make_set([0] * len(subjects), subjects), labels=draws.integers(0, 7, len(subjects)))
    splits = assign_splits(faces, 0)
    fractions = {split: count / len(faces) for split, count in counts(splits).items()}
    assert fractions == pytest.approx({"train": 0.8, "val": 0.1, "test": 0.1}, abs=0.02)
    for split in ("val", "test"):
        assert np.bincount(faces.labels[splits == split], minlength=7).min() > 0


@pytest.mark.parametrize(("fraction", "persons"), [(0.5, 10), (0.8, 16), (0.3, 6), (0.99, 19), (0.01, 1)])
def test_fractions_of_persons_that_are_not_one_fold(fraction, persons):
    faces = replace(cartoon(20, 1), fractions=(0, fraction))
    splits = assign_splits(faces, 0)
    assert len(set(np.array(faces.subjects)[splits == "test"])) == persons


def test_persons_that_nobody_knows(make_set):
    with pytest.raises(DataError, match="made has no subject IDs: use --group image"):
        assign_splits(make_set([0, 1] * 20), 0, group="subject")
    assert len(assign_splits(make_set([0, 1] * 20), 0, group="auto")) == 40


def test_too_few_persons(make_set):
    faces = make_set([0, 1] * 20, [f"p{number % 4}" for number in range(40)])
    with pytest.raises(DataError, match=r"4 persons in made are too few .* --group image"):
        assign_splits(faces, 0)
    assert set(assign_splits(faces, 0, group="image")) == {"train", "val", "test"}


def test_own_splits_stand(make_set):
    own = ["train"] * 5 + ["val"] * 3 + ["test"] * 2
    faces = make_set([0] * 10, splits=own)
    assert assign_splits(faces, 0).tolist() == own
    assert assign_splits(replace(faces, fractions=(0.3, 0.3)), 1, group="image").tolist() == own


@pytest.mark.parametrize("own", [["train"] * 40 + ["test"] * 40, ["train"] * 80])
def test_a_missing_val_is_taken_from_train(make_set, own):
    faces = make_set([0, 1, 2, 3] * 20, splits=own)
    splits = assign_splits(faces, 0)
    train = np.array(own) == "train"
    assert (splits[~train] == "test").all()
    taken = faces.labels[splits == "val"]
    assert np.bincount(taken).tolist() == [int(train.sum() / 40 + 0.5)] * 4
    assert train[splits == "val"].all()


def test_a_val_fraction_makes_the_own_val_spare(make_set):
    own = ["train"] * 80 + ["val"] * 10 + ["test"] * 10
    splits = assign_splits(make_set([0, 1] * 50, splits=own), 0, val_fraction=0.2)
    assert counts(splits) == {"spare": 10, "test": 10, "train": 64, "val": 16}
    assert (splits[80:90] == "spare").all()


def test_a_val_fraction_of_a_set_without_splits_is_one_of_all_that_is_not_test(make_set):
    splits = assign_splits(make_set([0, 1] * 50), 0, val_fraction=0.2)
    assert counts(splits) == {"test": 10, "train": 72, "val": 18}


def test_a_set_of_test_faces_only(make_set):
    faces = make_set([0] * 4, splits=["test"] * 4)
    assert set(assign_splits(faces, 0)) == {"test"}
    assert set(assign_splits(faces, 0, val_fraction=0.1)) == {"test"}


@pytest.mark.parametrize("persons", [True, False])
def test_an_extra_set_tests_on_a_fifth_of_what_it_once_trained_on(make_set, persons):
    faces = make_set([label for label in range(7) for _ in range(100)])
    faces = replace(faces, subjects=tuple(f"p{face % 90}" for face in range(700)) if persons else None)
    before, now = assign_splits(faces, EXTRA_SEED), split_extra(faces)
    assert np.array_equal(split_extra(faces, 1), before)
    assert set(before[now == "val"]) == {"val", "test"}
    assert set(before[now == "test"]) == {"train"}
    assert 0.17 < (now == "test").sum() / (before == "train").sum() < 0.23
    if persons:
        split_of = {subject: set() for subject in faces.subjects}
        for subject, split in zip(faces.subjects, now, strict=True):
            split_of[subject].add(str(split))
        assert all(len(splits) == 1 for splits in split_of.values())


def test_an_extra_set_with_splits_of_its_own_keeps_them(make_set):
    faces = replace(make_set([0, 1] * 10), splits=np.array((["train"] * 3 + ["val"] + ["test"]) * 4))
    assert np.array_equal(split_extra(faces), faces.splits)


_ID = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8)


@quick
@given(ids=st.lists(_ID, min_size=1, max_size=8, unique=True), seed=st.integers(0, 9))
def test_a_written_split_is_read_back(make_set, tmp_path, ids, seed):
    faces = replace(make_set([0] * len(ids)), ids=tuple(ids))
    splits = assign_splits(faces, seed)
    write_split(tmp_path / "split.csv", faces, splits)
    assert read_split(tmp_path / "split.csv", faces).tolist() == splits.tolist()
    other = shuffled(replace(faces, splits=splits), seed)
    assert read_split(tmp_path / "split.csv", other).tolist() == other.splits.tolist()


def test_the_file_is_one_for_people(make_set, tmp_path):
    faces = make_set([0, 3])
    write_split(tmp_path / "split.csv", faces, np.array(["train", "spare"]))
    assert (tmp_path / "split.csv").read_text(encoding="utf-8") == "id,label,part\nf000,a,train\nf001,d,spare\n"


def test_a_split_of_other_data_is_refused(make_set, tmp_path):
    path = tmp_path / "split.csv"
    write_split(path, make_set([0, 1, 2]), np.array(["train"] * 3))
    with pytest.raises(DataError, match="made for other data than made: it has no f003 labelled a"):
        read_split(path, make_set([0, 1, 2, 0]))
    with pytest.raises(DataError, match="it has no f002 labelled d"):
        read_split(path, make_set([0, 1, 3]))
    with pytest.raises(DataError, match="3 faces, not 2"):
        read_split(path, make_set([0, 1]))


@pytest.mark.parametrize(
    "content",
    [b"", b"id,label\nf000,a\n", b"\xff\xfe\n", b"id,label,part\nf000,a,somewhere\n", b"id,label,part\nf000\n"],
)
def test_a_damaged_split_is_one_error(make_set, tmp_path, content):
    (tmp_path / "split.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"split\.csv"):
        read_split(tmp_path / "split.csv", make_set([0]))
    with pytest.raises(DataError, match=r"nowhere\.csv cannot be read"):
        read_split(tmp_path / "nowhere.csv", make_set([0]))

"""Groups of a cross-validation: whole, even, by person, and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fercli.core.errors import DataError
from fercli.data.cartoon import cartoon
from fercli.data.folds import assign_fold_splits, assign_groups, count_subjects

#: The fixture only makes sets, so examples may share it.
quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

GROUPINGS = ["image", "subject"]


@st.composite
def labels_and_folds(draw):
    """Labels of up to seven classes in any order, and no more folds than the rarest class has faces."""
    counts = draw(st.lists(st.integers(3, 14), min_size=1, max_size=7))
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    return draw(st.permutations(labels)), draw(st.integers(3, min(10, *counts)))


def shuffled(faces, seed):
    order = np.random.default_rng(seed).permutation(len(faces))
    return replace(
        faces,
        images=faces.images[order],
        labels=faces.labels[order],
        ids=tuple(faces.ids[face] for face in order),
        subjects=faces.subjects and tuple(faces.subjects[face] for face in order),
    )


def by_id(faces, groups):
    return dict(zip(faces.ids, groups.tolist(), strict=True))


@quick
@given(made=labels_and_folds(), seed=st.integers(0, 2**40))
def test_by_image_groups_are_even_in_every_class_and_altogether(make_set, made, seed):
    labels, folds = made
    groups = assign_groups(make_set(labels), folds, seed, "image")
    for label in set(labels):
        counts = np.bincount(groups[np.array(labels) == label], minlength=folds)
        assert counts.min() >= 1
        assert np.ptp(counts) <= 1
    assert np.ptp(np.bincount(groups, minlength=folds)) <= 1


@quick
@given(
    data=st.data(), seed=st.integers(0, 99), order=st.integers(0, 99), grouping=st.sampled_from(["image", "subject"])
)
def test_the_order_of_the_faces_has_no_say(make_set, data, seed, order, grouping):
    people = data.draw(st.lists(st.sampled_from(["", *"abcdefgh"]), min_size=30, max_size=60))
    assume(any(people))
    faces = make_set([number % 2 for number in range(len(people))], people)
    other = shuffled(faces, order)
    try:
        groups = assign_groups(faces, 3, seed, grouping)
    except DataError:
        with pytest.raises(DataError):
            assign_groups(other, 3, seed, grouping)
        return
    assert by_id(faces, groups) == by_id(other, assign_groups(other, 3, seed, grouping))


@quick
@given(data=st.data(), seed=st.integers(0, 99), folds=st.integers(3, 6))
def test_by_subject_persons_stay_whole_and_every_class_is_in_every_group(make_set, data, seed, folds):
    rows = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", *"abcdefghijkl"])), min_size=12, max_size=80)
    )
    labels, people = zip(*rows, strict=True)
    faces = make_set(labels, people)
    try:
        groups = assign_groups(faces, folds, seed, "subject")
    except DataError:
        return
    for person in set(people) - {""}:
        assert len(set(groups[np.array(people) == person])) == 1
    for label in set(labels):
        assert set(groups[np.array(labels) == label]) == set(range(folds))


@quick
@given(people=st.integers(3, 40), each=st.integers(1, 3), folds=st.integers(3, 10), seed=st.integers(0, 99))
def test_persons_who_are_alike_are_dealt_out_evenly(make_set, people, each, folds, seed):
    assume(people >= folds)
    rows = [(label, f"p{person}") for person in range(people) for label in range(3) for _ in range(each)]
    labels, subjects = zip(*rows, strict=True)
    counts = np.bincount(assign_groups(make_set(labels, subjects), folds, seed, "subject"), minlength=folds)
    assert np.ptp(counts) <= 3 * each


@quick
@given(made=labels_and_folds(), seed=st.integers(0, 99))
def test_every_face_tests_once_and_validates_once(make_set, made, seed):
    labels, folds = made
    groups = assign_groups(make_set(labels), folds, seed, "image")
    splits = [assign_fold_splits(groups, fold, folds) for fold in range(folds)]
    for split, times in (("test", 1), ("val", 1), ("train", folds - 2)):
        assert (sum((one == split).astype(int) for one in splits) == times).all()
    assert all((splits[fold] == "val")[groups == (fold + 1) % folds].all() for fold in range(folds))


def test_the_papers_groups_of_seventy():
    faces = cartoon(20, 5)
    for grouping in ("image", "subject"):
        groups = assign_groups(faces, 10, 0, grouping)
        for group in range(10):
            assert np.bincount(faces.labels[groups == group]).tolist() == [10] * 7
    assert len({faces.subjects[face] for face in np.flatnonzero(groups == 0)}) == 2


def test_another_seed_deals_otherwise():
    faces = cartoon(6, 1)
    for grouping in ("image", "subject"):
        draws = {tuple(assign_groups(faces, 3, seed, grouping).tolist()) for seed in range(5)}
        assert len(draws) > 1


def test_known_draws_stay_as_they_are(make_set):
    """Somebody's folds must not change under them with a new version."""
    faces = make_set([0] * 6 + [1] * 6, list("aabbccddeeff"))
    assert assign_groups(faces, 3, 0, "image").tolist() == [1, 2, 2, 0, 1, 0, 2, 1, 1, 2, 0, 0]
    faces = make_set([0, 1] * 6, list("aabbccddeeff"))
    assert assign_groups(faces, 3, 0, "subject").tolist() == [1, 1, 2, 2, 0, 0, 1, 1, 0, 0, 2, 2]


def test_a_face_of_nobody_known_is_a_person_of_its_own(make_set):
    faces = make_set([0, 1] * 6, ["a", "a", *[""] * 10])
    assert count_subjects(faces) == 11
    groups = assign_groups(faces, 3, 0, "subject")
    assert groups[0] == groups[1]
    assert sorted(np.bincount(groups).tolist()) == [4, 4, 4]


def test_a_class_that_one_move_brings_into_every_group_is_not_missing(make_set):
    """Three persons show class 2; what else they have must not bring two of them into one group."""
    rows = [(0, "x")] * 9 + [(2, "x")] + [(0, "y")] * 2 + [(2, "y")] + [(2, "z")] + [(1, name) for name in "uvw"]
    rows += [(0, name) for name in "uvw"]
    labels, people = zip(*rows, strict=True)
    groups = assign_groups(make_set(labels, people), 3, 0, "subject")
    assert set(groups[np.array(labels) == 2]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("labels", "people", "folds", "grouping", "message"),
    [
        ([0, 1] * 9, None, 2, "image", "--folds 2 are too few: one trains, one validates"),
        ([0] * 9 + [3] * 4, None, 5, "image", "only 4 faces of d, its rarest class; take --folds 4 or fewer"),
        ([0] * 9 + [3] * 2, None, 3, "image", "only 2 faces of d, its rarest class; too few for any"),
        ([0, 1] * 9, None, 3, "subject", "made has no subject IDs: use --group image"),
        ([0, 1] * 9, [""] * 18, 3, "subject", "made has no subject IDs"),
        ([0, 1] * 8, list("aabbccdd") * 2, 5, "subject", "has only 4 persons; take --folds 4 or fewer"),
        ([0] * 10 + [1] * 4, [*"aabbccddee", *"aabb"], 3, "subject", "only 2 persons in made show b"),
        ([], None, 3, "image", "no faces"),
    ],
)
def test_what_cannot_be_dealt_out_says_what_can(make_set, labels, people, folds, grouping, message):
    with pytest.raises(DataError, match=message):
        assign_groups(make_set(labels, people), folds, 0, grouping)


def test_thousands_of_persons_are_dealt_out_in_seconds(make_set):
    labels = np.random.default_rng(0).integers(0, 7, 8000)
    groups = assign_groups(
        make_set(labels.tolist(), [f"p{n // 2}" if n % 2 else "" for n in range(8000)]), 10, 0, "subject"
    )
    for label in range(7):
        counts = np.bincount(groups[labels == label], minlength=10)
        assert np.ptp(counts) <= 3

"""Names, files, settings: the small pieces that every room uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.config import parse_config
from fercli.core.errors import RunError, UsageError
from fercli.core.files import (
    _remove_stale,
    check_writable,
    limit_name,
    read_json,
    refuse_existing,
    write_json,
    write_text,
    written_whole,
)
from fercli.core.labels import EXPRESSIONS, canonical, ordered
from fercli.core.registry import Registry, suggest


@pytest.mark.parametrize(
    ("typed", "word"),
    [("Anger", "angry"), (" HAPPINESS ", "happy"), ("sadness", "sad"), ("surprised", "surprise"), ("Sleepy", "sleepy")],
)
def test_synonyms_fold_to_the_project_s_word(typed, word):
    assert canonical(typed) == word


def test_classes_come_in_fer2013_s_order_and_others_after_them():
    assert ordered(["zeal", "neutral", "angry", "awe"]) == ("angry", "neutral", "awe", "zeal")
    assert ordered(reversed(EXPRESSIONS)) == EXPRESSIONS


def test_registering_a_name_twice_raises():
    things: Registry[object] = Registry("thing")
    things.register("a")(1)
    with pytest.raises(ValueError, match="thing 'a' is registered twice"):
        things.register("a")(2)
    assert things["a"] == 1


def test_suggestions_are_near_or_complete():
    assert suggest("xu-resnet", ["xu-rescnn", "bah-basic"]) == "did you mean xu-rescnn?"
    assert suggest("qqq", ["b", "a"]) == "there is a, b"


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})

    def half_written() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half_written()
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_whether_a_file_can_be_written_is_asked_without_a_trace(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "a.csv")
    check_writable(tmp_path / "new", folder=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "file")
    for path, told in ((tmp_path, "a folder of that name"), (tmp_path / "file" / "a.csv", "file is no folder")):
        with pytest.raises(RunError, match=told):
            check_writable(path)


def test_what_exists_is_replaced_only_when_told(tmp_path):
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("")
    refuse_existing(new, force=False)
    refuse_existing(new, there, force=True)
    with pytest.raises(UsageError, match=r"there exists already: --force replaces it, or name another --out"):
        refuse_existing(new, there, force=False, otherwise="name another --out")


def test_a_path_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_damaged_json_is_one_error(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        read_json(tmp_path / "a.json")
    with pytest.raises(RunError, match="cannot read"):
        read_json(Path("nowhere.json"))


CONFIG = {
    "model": "net",
    "data": "cartoon",
    "recipe_name": "best",
    "recipe": {"epochs": 3, "batch_size": 8, "optimizer": {"name": "adam", "lr": 0.1}},
}


def test_settings_that_differ_are_named_with_both_values():
    config = parse_config(CONFIG, "here")
    other = config.model_copy(update={"seed": 4, "recipe": config.recipe.model_copy(update={"epochs": 9})})
    assert config.differences(other) == ["seed: 0, 4", "recipe.epochs: 3, 9"]
    assert config.differences(config) == []


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"optimizer": {"name": "sgd", "lr": 0.1, "nesterov": True}}, "nesterov needs a momentum"),
        ({"epochs": 0}, "recipe.epochs"),
        ({"epoch": 3}, "recipe.epoch"),
        ({"optimizer": {"lr": "fast"}}, "recipe.optimizer"),
    ],
)
def test_settings_that_make_no_sense_are_named(recipe, message):
    with pytest.raises(UsageError, match=message):
        parse_config({**CONFIG, "recipe": {**CONFIG["recipe"], **recipe}}, "here")


def test_what_a_killed_process_left_is_removed_by_the_next_one_that_writes_there(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from fercli.core.files import written_whole\n"
        "with written_whole(Path(sys.argv[1])) as file: file.touch(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "faces.csv"], check=False)
    (left,) = tmp_path.iterdir()
    other = tmp_path / left.name.replace(left.name.split(".")[2].split("-")[0], "0" * 8)
    for file in (other, tmp_path / ".faces.csv.lock", tmp_path / ".hidden.csv"):
        file.touch()  # of another machine, or nothing of ours
    with written_whole(tmp_path / "b.csv") as own:
        own.touch()
        _remove_stale.cache_clear()
        with written_whole(tmp_path / "c.csv") as second:
            second.touch()
        assert own.exists(), "this process runs"
    expected = {other.name, ".faces.csv.lock", ".hidden.csv", "b.csv", "c.csv"}
    assert {file.name for file in tmp_path.iterdir()} == expected


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=300))
def test_a_limited_name_fits_and_keeps_its_ending(name):
    path = Path("folder", name)
    limited = limit_name(path)
    assert len(os.fsencode(limited.name)) <= 200
    assert limited.parent == path.parent
    if len(os.fsencode(path.name)) <= 200:
        assert limited == path
    elif len(os.fsencode(path.suffix)) <= 20 and path.suffix:
        assert limited.suffix == path.suffix

"""What the record of behaviour takes out before it compares, and what it says of the rest."""

import json
import shlex

import numpy as np
import pytest
from PIL import Image

from benchmarks.behaviour import __main__ as behaviour
from benchmarks.behaviour.cases import CASES, Case
from benchmarks.behaviour.views import normalise, view


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('{"seconds": 3.25, "n": 3.25}', '{"seconds": <seconds>, "n": 3.25}'),
        ('{"commit": null, "fercli": "0.1.0"}', '{"commit": <commit>, "fercli": <version>}'),
        ('"versions": {\n "torch": "2.14.1"\n},', '"versions": <versions>,'),
        ('"milliseconds": {"1": {"a": 0.2}, "64": {"a": 3}}, "b": 1', '"milliseconds": <milliseconds>, "b": 1'),
        ("epoch   1  loss 1.647   31.1 %    1.7 s  best", "epoch   1  loss 1.647   31.1 %  <seconds>  best"),
        ("best of 2 epochs: 2, in 1 min   \npart", "best of 2 epochs: 2, in <seconds>\npart"),
        ("so far 17.14 %   1 of 3, 2 h 10 min left\n", "so far 17.14 %   1 of 3\n"),
        ("model: lenet\nversion: 0.1.0\n", "model: lenet\nversion: <version>\n"),
        ("made 2026-01-02 03:04 +0100.", "made <time>."),
        ("writing to runs/20260102-030405_lenet_set", "writing to runs/<time>_lenet_set"),
        ("about 42 s to go\nlooking for faces: 1,200 of 3,000\ndone\n", "done\n"),
        ("1 face    0.22 ms   1.84 ms\nname      here", "1 face  <milliseconds>  <milliseconds>\nname  here"),
        ("in /tmp/x1/work/data", "in <work>/data"),
        ('src="data:image/png;base64,AAAA"', 'src="data:image/png;base64,<709e80c88487a241>"'),
    ],
)  # fmt: skip
def test_what_varies_is_taken_out(text, plain):
    assert normalise(text, {"/tmp/x1/work": "<work>"}) == plain


@pytest.mark.parametrize(
    "text",
    [
        "photos/a.jpg,,,1,,174.4,0.999824,neutral,0.667007",
        "clip.mp4      1 0:00.0 0:01.5      4 neutral 78 %",
        "accuracy 45.71 %  95 %: 34.57 to 57.30 %",
        "--smooth TIME  average over so long: 0.5s, 1 of 2",
    ],
)
def test_what_is_meant_stays(text):
    assert normalise(text, {}) == text


def test_pictures_are_compared_by_their_pixels(tmp_path):
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    for level in (1, 9):
        image.save(tmp_path / f"{level}.png", compress_level=level)
    assert view(tmp_path / "1.png") == view(tmp_path / "9.png")
    image.putpixel((3, 2), 255)
    image.save(tmp_path / "9.png")
    assert view(tmp_path / "1.png") != view(tmp_path / "9.png")


def test_a_history_lacks_its_seconds_and_a_damaged_file_says_so(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss,seconds\n1,0.5,2.25\n", encoding="utf-8")
    assert view(tmp_path / "history.csv").splitlines() == ["epoch,loss", "1,0.5", ""]
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert view(tmp_path / "a.png").startswith("cannot be read: UnidentifiedImageError")


def test_differences_say_which_file_and_where():
    long = "y" * 300
    recorded = {"stdout.txt": f"one\n{long}1\n", "gone.csv": "a\n", "same": "b\n"}
    now = {"stdout.txt": f"one\n{long}2\n", "new.csv": "a\n", "same": "b\n"}
    gone, new, changed = behaviour.differences(recorded, now)
    assert (gone, new) == ("gone.csv: recorded, not there now", "new.csv: there now, not recorded")
    assert [line.replace("y", "") for line in changed.splitlines()] == ["stdout.txt:", "  2 - …1", "  2 + …2"]
    assert behaviour.short_diff("", "".join(f"{n}\n" for n in range(9)))[-1] == "  … 3 more lines"


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record of three cases of Python's own JSON tool, one of which fails."""
    cases = (
        Case("write", "a.json b.json", module="json.tool"),
        Case("read", "b.json --compact", after="write", module="json.tool"),
        Case("fail", "gone.json", module="json.tool"),
    )
    monkeypatch.setattr(behaviour, "CASES", cases)
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/a.json").write_text('{"seconds": 1.5, "faces": [1]}', encoding="utf-8")
    behaviour.record(tmp_path, None, ["*"])
    return tmp_path


def test_a_record_has_what_each_case_said_and_wrote(record):
    outcome = behaviour.read(record / "cases/write")
    assert json.loads(outcome["files/b.json"].replace("<seconds>", "0")) == {"seconds": 0, "faces": [1]}
    assert behaviour.read(record / "cases/read")["stdout.txt"] == '{"seconds":1.5,"faces":[1]}\n'
    failed = behaviour.read(record / "cases/fail")
    assert failed["exit.txt"] != "0\n"
    assert "gone.json" in failed["stderr.txt"]
    digests = json.loads((record / "digests.json").read_text(encoding="utf-8"))
    assert {name: set(files) for name, files in digests.items()} == {
        "write": {"exit.txt", "stdout.txt", "stderr.txt", "files/b.json"},
        "read": {"exit.txt", "stdout.txt", "stderr.txt"},
        "fail": {"exit.txt", "stdout.txt", "stderr.txt"},
    }


def test_a_record_is_held_against_what_happens_now(record, capsys):
    assert behaviour.compare(record, ["*"]) == 0
    assert capsys.readouterr().out == "3 cases as recorded\n"
    recorded = record / "cases/read/stdout.txt"
    recorded.write_text(recorded.read_text(encoding="utf-8").replace("[1]", "[2]"), encoding="utf-8")
    assert behaviour.compare(record, ["re*"]) == 1
    told = capsys.readouterr().out
    assert told.startswith('read: json.tool b.json --compact\nstdout.txt:\n  1 - {"seconds":1.5,"faces":[2]}\n')
    assert told.endswith("1 of 2 cases differ\n")


def test_a_case_that_is_gone_is_a_difference(record, monkeypatch, capsys):
    monkeypatch.setattr(behaviour, "CASES", behaviour.CASES[:1])
    assert behaviour.compare(record, ["*"]) == 2
    assert "read: recorded, but no case now" in capsys.readouterr().out


def test_the_table_of_cases():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    for number, case in enumerate(CASES):
        assert not case.after or case.after in names[:number]
        assert shlex.split(case.words) or case.name == "help-fer"

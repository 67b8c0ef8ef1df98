"""fer eval --by: groups from a table of file names, and from the people that a set knows."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.core.errors import DataError, UsageError
from fercli.data.cartoon import cartoon
from fercli.data.groups import read_groups


@pytest.fixture
def faces(tmp_path):
    """Drawn faces in class folders, and a table of two groups that knows all but one of them."""
    drawn = cartoon(6, 1)
    lines = ["file,band,camera"]
    for number, (face, label) in enumerate(zip(drawn.images[:, 0], drawn.labels, strict=True)):
        folder = tmp_path / "faces" / drawn.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{'old' if number % 2 else 'young'},{number % 3}")
    (tmp_path / "groups.csv").write_text("\n".join(lines[:-1]) + "\n")
    return tmp_path / "faces"


def evaluate(faces, *more: str):
    words = ["eval", "--model", "xu-rescnn", "--data", str(faces), "--split", "all", "--device", "cpu", *more]
    return CliRunner().invoke(app, words)


def test_each_group_has_a_row(faces, tmp_path):
    table = str(tmp_path / "groups.csv")
    result = evaluate(faces, "--groups", table, "--by", "band", "--by", "camera", "--json")
    groups = json.loads(result.stdout)["groups"]
    assert [row["group"] for row in groups["band"]] == ["old", "young", ""]
    assert [row["faces"] for row in groups["band"]] == [20, 21, 1]
    assert [row["group"] for row in groups["camera"]] == ["0", "1", "2", ""]
    assert groups["band"][0]["difference"]["mean"] == pytest.approx(-groups["band"][1]["difference"]["mean"])
    shown = evaluate(faces, "--groups", table, "--by", "band").stdout
    assert "by band, in percent" in shown
    assert "not known" in shown
    assert re.search(r"to detect a difference of 5 points you need about [\d,]+ faces per group", shown)


def test_people_that_a_set_knows_are_groups_without_a_table():
    drawn = cartoon(3, 1)
    assert read_groups(drawn, "subject", None) == list(drawn.subjects)


@pytest.mark.parametrize(
    ("content", "column", "told"),
    [
        ("file,band\n1.png,x\n", "age", "has no column age: its first line has file, band"),
        ("name,band\n1.png,x\n", "age", "has no column file and no column age"),
        (
            "file,age\nother.png,x\n",
            "age",
            "names none of the 42 faces: its first file is other.png, the first face ",
        ),
        ("file;age\n1.png;x\n", "age", "has file;age, with semicolons between the columns where commas are needed"),
        ("file,age\n1.png,x\n1.png,y\n", "age", "row 2: 1.png is listed twice, with different values"),
        ("file,age\n,x\n", "age", "row 1: no file name"),
        ("", "age", "its first line has nothing"),
        ("file,age\n" + "".join(f"{number}.png,{number}\n" for number in range(200)), "age", None),
    ],
)
def test_a_table_that_does_not_serve_is_told(faces, tmp_path, content, column, told):
    (tmp_path / "groups.csv").write_text(content)
    result = evaluate(faces, "--groups", str(tmp_path / "groups.csv"), "--by", column)
    if told is None:
        assert result.exit_code == 0
        return
    assert isinstance(result.exception, UsageError | DataError)
    assert told in str(result.exception)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "age"], "--by age needs --groups FILE"),
        (["--by", "subject"], "--by subject: nobody is known in"),
        (["--groups", "g.csv"], "--by COLUMN says which"),
        (["--groups", "none.csv", "--by", "age"], "none.csv"),
    ],
)
def test_flags_that_miss_something_are_told(faces, words, told):
    result = evaluate(faces, *words)
    assert isinstance(result.exception, UsageError | DataError)
    assert told in str(result.exception)


def test_too_many_values_are_no_groups(tmp_path):
    drawn = cartoon(20, 1)
    lines = "".join(f"{name},{number}\n" for number, name in enumerate(drawn.ids))
    (tmp_path / "g.csv").write_text(f"file,n\n{lines}")
    assert len(set(np.unique(drawn.ids))) == len(drawn) > 100
    with pytest.raises(UsageError, match="at most 100 are shown"):
        read_groups(drawn, "n", tmp_path / "g.csv")

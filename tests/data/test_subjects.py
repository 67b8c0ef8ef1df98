"""Who is in a picture: patterns in file names, tables beside the pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.data.load import load_faces
from fercli.data.subjects import parse_subject_table


def test_a_pattern_finds_subjects_in_names(tmp_path, draw):
    for number, name in enumerate(["happy/ann_1", "happy/bob_1", "sad/ann_2", "sad/noname"]):
        draw(tmp_path / f"{name}.png", number)
    faces = load_faces(str(tmp_path), options=LoadOptions(subject_pattern=r"/([a-z]+)_\d"))
    assert dict(zip(faces.ids, faces.subjects, strict=True)) == {
        "happy/ann_1.png": "ann", "happy/bob_1.png": "bob", "sad/ann_2.png": "ann", "sad/noname.png": "",
    }  # fmt: skip
    assert "1 of 4 faces have no subject ID" in faces.notes


@pytest.mark.parametrize(
    ("pattern", "subject"), [(r"an+", "ann"), (r"(a)n", "a"), (r"(\w+)/(?P<subject>\w+?)_", "ann"), (r"x?(z)?ann", "")]
)
def test_which_group_is_the_subject(tmp_path, draw, pattern, subject):
    draw(tmp_path / "happy/ann_1.png")
    if subject:
        assert load_faces(str(tmp_path), options=LoadOptions(subject_pattern=pattern)).subjects == (subject,)
    else:
        with pytest.raises(UsageError, match=r"finds no subject in any of 1 names, e\.g\. happy/ann_1\.png"):
            load_faces(str(tmp_path), options=LoadOptions(subject_pattern=pattern))


def test_a_broken_pattern_is_one_line(tmp_path, draw):
    draw(tmp_path / "happy/a.png")
    with pytest.raises(UsageError, match="not a regular expression"):
        load_faces(str(tmp_path), options=LoadOptions(subject_pattern="("))
    table = tmp_path / "t.csv"
    table.write_text("file,subject\nhappy/a.png,ann\n")
    with pytest.raises(UsageError, match="leave one out"):
        load_faces(str(tmp_path), options=LoadOptions(subject_pattern="(.)", subjects=str(table)))


def test_a_table_in_the_folder_says_who_is_who(tmp_path, draw):
    for number, name in enumerate(["happy/1", "happy/2", "sad/1"]):
        draw(tmp_path / f"set/{name}.png", number)
    table = tmp_path / "set/subjects.csv"
    table.write_text("File,Subject\nhappy/1.png,ann\n./sad\\1.png,bob\n", encoding="utf-8-sig")
    faces = load_faces(str(tmp_path / "set"))
    assert faces.subjects == ("ann", "", "bob")
    assert faces.notes[0] == "subjects.csv gives the subject IDs"
    assert "1 of 3 faces have no subject ID" in faces.notes
    # the table is part of what the cache goes by
    table.write_text("file,subject\n1.png,carl\n", encoding="utf-8")
    assert load_faces(str(tmp_path / "set")).subjects == ("carl", "", "carl")


def test_a_csv_file_about_something_else_stops_nothing(tmp_path, draw):
    draw(tmp_path / "happy/1.png")
    (tmp_path / "people.csv").write_text("file,age\n1.png,20-30\n")
    (tmp_path / "subjects.csv").write_text("file,subject\n1.png,ann\n")
    faces = load_faces(str(tmp_path))
    assert faces.subjects == ("ann",)
    assert faces.notes[0] == "people.csv is not used: its first line has file, age, and neither subject nor label"
    (tmp_path / "subjects.csv").write_text("file,person\n1.png,ann\n")
    with pytest.raises(DataError, match=r"subjects\.csv: its first line has file, person; needed are"):
        load_faces(str(tmp_path))


def test_a_table_with_labels_needs_no_class_folders(tmp_path, draw):
    for number in range(4):
        draw(tmp_path / f"photos/p{number}.png", number)
    table = tmp_path / "people.csv"
    table.write_text("file,label,subject\np0.png,Anger,x\np1.png,joy,y\np2.png,joy,x\n")
    faces = load_faces(str(tmp_path / "photos"), options=LoadOptions(subjects=str(table)))
    assert faces.classes == EXPRESSIONS
    assert [faces.classes[label] for label in faces.labels] == ["angry", "happy", "happy"]
    assert faces.subjects == ("x", "y", "x")
    assert any("left out 1 picture (p3.png) that" in note and "does not label" in note for note in faces.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line has nothing; needed are file, and subject or label"),
        ("name,subject\n", "its first line has name, subject"),
        ("file,subject\na.png,x\na.png,y\n", "row 2: a.png is listed twice"),
        ("file,subject\n,x\n", "row 1: no file name"),
        (
            "file,subject\nb\xff",
            "cannot be read as a csv file: its text is not UTF-8; in Excel, save it as",
        ),
        ("file;subject\nb;x", "has file;subject, with semicolons between the columns where commas are needed"),
    ],
)
def test_a_table_that_is_none(text, message):
    with pytest.raises(DataError, match=message):
        parse_subject_table(text.encode("latin-1"), "t.csv")


def test_a_table_of_other_pictures(tmp_path, draw):
    draw(tmp_path / "photos/a.png")
    table = tmp_path / "t.csv"
    table.write_text("file,label\nb.png,happy\n")
    with pytest.raises(DataError, match=r"none has a label in .*t\.csv"):
        load_faces(str(tmp_path / "photos"), options=LoadOptions(subjects=str(table)))
    with pytest.raises(DataError, match="names none of the 700 faces"):
        load_faces("cartoon", options=LoadOptions(subjects=str(table)))
    with pytest.raises(DataError, match="cannot read"):
        load_faces("cartoon", options=LoadOptions(subjects=str(tmp_path / "none.csv")))


names = st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=2), min_size=1, max_size=3).map("/".join)


@given(names, names)
def test_a_longer_path_of_the_table_wins(outer, name):
    people = parse_subject_table(f"file,subject\nxx/{name},long\n{name},short\n".encode(), "t")
    assert people.find(f"{outer}/xx/{name}").subject == "long"
    assert people.find(f"yy/{name}").subject == "short"
    assert people.find("nothing/like.it") is None

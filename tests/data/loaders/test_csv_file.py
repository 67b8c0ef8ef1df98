"""A csv file of FER2013's form, packed in all ways and with all its faults."""

import gzip
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.loaders.csv_file import decode_rows, read_csv


def same(faces, other) -> bool:
    return faces.fingerprint == other.fingerprint and faces.ids == other.ids and (faces.splits == other.splits).all()


def test_a_csv_file_is_read_row_by_row(tmp_path, rows, write_csv):
    faces = read_csv(write_csv(tmp_path / "fer2013.csv", rows))
    assert faces.classes == EXPRESSIONS
    assert faces.labels.tolist() == [row[0] for row in rows]
    assert faces.splits.tolist() == ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    assert faces.ids[0] == "Training_0"
    assert faces.ids[9] == "PublicTest_9"
    assert faces.images[3].ravel().tolist() == [int(value) for value in rows[3][1].split()]
    assert faces.images[0, 0, 0, 1] == int(rows[0][1].split()[1]), "rows of pixels run from left to right"
    assert faces.notes == ()


def test_more_rows_than_aredecode_rows_at_once(tmp_path, rows, write_csv):
    faces = read_csv(write_csv(tmp_path / "fer2013.csv", rows * 12))
    assert len(faces) == 144
    assert (faces.images[132:] == faces.images[:12]).all()
    assert faces.ids[143] == "PrivateTest_143"


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("emotion, Usage, pixels", (0, 2, 1)),
        ('"Usage","pixels","emotion"', (2, 1, 0)),
        ("\ufeffEmotion,pixels,Usage", (0, 1, 2)),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_columns_in_any_order_and_odd_line_ends(tmp_path, rows, write_csv, header, order, end):
    expected = read_csv(write_csv(tmp_path / "fer2013.csv", rows))
    lines = [header, *(",".join(f' "{row[column]}"' for column in order) for row in rows)]
    odd = tmp_path / "icml_face_data.csv"
    odd.write_bytes((end.join(lines)).encode())
    assert same(read_csv(odd), expected)


@pytest.mark.parametrize("ending", [".zip", ".gz", ".tar.gz", ".tgz", ".dat"])
def test_packed_files_are_told_by_their_content(tmp_path, rows, write_csv, ending):
    plain = write_csv(tmp_path / "fer2013.csv", rows)
    packed = tmp_path / f"fer2013{ending}"
    if ending in (".zip", ".dat"):
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._fer2013.csv", "rubbish")
            archive.writestr("example_submission.csv", "emotion\n")
            archive.write(plain, "inner/fer2013.csv")
    elif ending == ".gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(tmp_path / "fer2013.csv", "fer2013/README")
            archive.add(plain, "fer2013/fer2013.csv")
    assert same(read_csv(packed), read_csv(plain))


@pytest.mark.parametrize("ending", [".zip", ".gz", ".tar.gz"])
@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_a_half_written_archive_is_said_to_be_one(tmp_path, rows, write_csv, ending, fraction):
    plain = write_csv(tmp_path / "fer2013.csv", rows)
    packed = tmp_path / f"fer2013{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(plain, "fer2013.csv")
    elif ending == ".gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(plain, "fer2013.csv")
    content = packed.read_bytes()
    packed.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(DataError, match=r"fer2013\.\S+: the archive is damaged or only half there"):
        read_csv(packed)


def test_damage_inside_an_archive_is_noticed(tmp_path, rows, write_csv):
    content = bytearray(gzip.compress(write_csv(tmp_path / "fer2013.csv", rows).read_bytes()))
    content[len(content) // 2] ^= 0xFF
    packed = tmp_path / "fer2013.csv.gz"
    packed.write_bytes(content)
    with pytest.raises(DataError, match=r"fer2013\.csv\.gz"):
        read_csv(packed)


def test_an_archive_without_a_csv_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.add(tmp_path / "a.zip", "a.zip")
    for name in ("a.zip", "a.tgz"):
        with pytest.raises(DataError, match="no csv file"):
            read_csv(tmp_path / name)


def changed(rows, number, column, value):
    altered = [list(row) for row in rows]
    altered[number][column] = value
    return altered


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (1, "1 " * 2303, "2,303 pixels, not 2,304"),
        (1, "1 " * 2305, "2,305 pixels, not 2,304"),
        (1, "", "0 pixels"),
        (1, "1 " * 2303 + "256", "pixel '256' is not a whole number from 0 to 255"),
        (1, "1 " * 2303 + "1000", "pixel '1000'"),
        (1, "1 " * 2303 + "-1", "pixel '-1'"),
        (1, "1 " * 2303 + "1.5", "pixel '1.5'"),
        (1, "1 " * 2303 + "x", "pixel 'x'"),
        (0, "7", "emotion '7' is not a number from 0 to 6"),
        (0, "-1", "emotion '-1'"),
        (0, "happy", "emotion 'happy'"),
        (0, "", "emotion ''"),
        (2, "Test", "usage 'Test' is none of Training, PublicTest, PrivateTest"),
        (2, "", "usage ''"),
    ],
)
def test_every_fault_names_the_file_and_the_row(tmp_path, rows, write_csv, column, value, message):
    path = write_csv(tmp_path / "fer2013.csv", changed(rows, 4, column, value))
    with pytest.raises(DataError) as fault:
        read_csv(path)
    assert str(fault.value).startswith(f"{path}, row 5 (line 6): ")
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_row_too_long_and_one_too_short_do_not_make_up_for_each_other(tmp_path, rows, write_csv):
    altered = changed(changed(rows, 2, 1, "1 " * 2305), 3, 1, "1 " * 2303)
    with pytest.raises(DataError, match=r"row 3 .*2,305 pixels"):
        read_csv(write_csv(tmp_path / "fer2013.csv", altered))


def test_a_file_cut_off_in_a_row(tmp_path, rows, write_csv):
    path = write_csv(tmp_path / "fer2013.csv", rows)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"row 12 \(line 13\): 2 columns, not 3: is the file cut off"):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("emotion,pixels,Usage\n", "only a header"),
        ("emotion,pixels\n1,2\n", "no column usage"),
        ("\0\1\2\n", "no column emotion and no column pixels"),
    ],
)
def test_a_file_of_another_kind(tmp_path, content, message):
    path = tmp_path / "fer2013.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_csv(path)


def test_a_file_with_some_usages_says_so(tmp_path, rows, write_csv):
    faces = read_csv(write_csv(tmp_path / "part.csv", rows[:8]))
    assert set(faces.splits) == {"train"}
    assert [note.split(":")[0] for note in faces.notes] == [
        "part.csv has no PublicTest faces",
        "part.csv has no PrivateTest faces",
    ]


def test_odd_blanks_between_pixels_are_no_fault(tmp_path, rows, write_csv):
    expected = read_csv(write_csv(tmp_path / "fer2013.csv", rows))
    odd = changed(rows, 4, 1, f"  {rows[4][1].replace(' ', '  ')} ")
    assert same(read_csv(write_csv(tmp_path / "odd.csv", odd)), expected)


_NUMBER = st.integers(0, 255)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(_NUMBER, _NUMBER, _NUMBER), min_size=1, max_size=4))
def test_the_fast_way_reads_what_int_reads(starts):
    texts, expected = [], []
    for start in starts:
        numbers = (list(start) * 768)[:2304]
        texts.append(" ".join(map(str, numbers)).encode())
        expected += numbers
    decoded = decode_rows(texts)
    assert decoded is not None
    assert decoded.tolist() == expected


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 9000), st.sampled_from(b" 0123456789.-x\t\xff,"))
def test_the_fast_way_never_reads_another_number_than_the_slow_one(offset, character):
    text = bytearray(b" ".join([b"123"] * 2304))
    text[offset % len(text)] = character
    decoded = decode_rows([bytes(text)])
    if decoded is not None:
        assert decoded.tolist() == [int(word) for word in text.split()]
        assert len(decoded) == 2304

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import RunError
from fercli.data.quality.contact_sheet import Section, Tile, draw_contact_sheet, write_contact_sheet


def tile(shade: int, *caption: str) -> Tile:
    return Tile(np.full((48, 48), shade, np.uint8), caption)


def faces_on(sheet: Image.Image, shade: int) -> int:
    """How many faces of one shade a sheet has, all 96 pixels wide and high."""
    return np.count_nonzero(np.asarray(sheet) == shade) / 96**2


def test_every_face_is_there_twice_as_large():
    sections = [Section("one", ((tile(3), tile(3)), (tile(5),))), Section("other", (tuple([tile(9)] * 7),))]
    sheet = draw_contact_sheet(sections, columns=3)
    assert [faces_on(sheet, shade) for shade in (3, 5, 9)] == [2, 1, 7]


def test_a_group_that_does_not_fit_beside_the_last_begins_a_row():
    def first_rows(*lengths: int) -> list[int]:
        groups = tuple(tuple([tile(3 + number)] * length) for number, length in enumerate(lengths))
        pixels = np.asarray(draw_contact_sheet([Section("a", groups)], columns=4))
        return [int(np.flatnonzero((pixels == 3 + number).any(axis=1))[0]) for number in range(len(lengths))]

    one, other = first_rows(2, 2)
    assert one == other
    one, other = first_rows(3, 2)
    assert one < other


def test_captions_and_headings_are_drawn_and_cut_to_their_room():
    plain = np.asarray(draw_contact_sheet([Section("", ((tile(3), tile(3)),))]))
    named = np.asarray(draw_contact_sheet([Section("duplicates: 2", ((tile(3, "a.png"), tile(3)),))]))
    assert named.shape[0] > plain.shape[0], "a caption takes a line"
    long = draw_contact_sheet([Section("h" * 1000, ((tile(3, "n" * 500 + "ß☺", "label\nmore"), tile(3)),))], columns=2)
    pixels = np.asarray(long)
    assert faces_on(long, 3) == 2, "no caption over a face"
    below = np.flatnonzero((pixels == 3).any(axis=1)).max() + 1
    ink = np.flatnonzero((pixels[below:] < 200).any(axis=0))
    assert ink.max() < 16 + 96 + 4, "the caption stays below its own face"


def test_written_whole_as_png_whatever_is_on_it(tmp_path):
    write_contact_sheet(tmp_path / "new/sheet.png", [Section("nothing found", ())])
    with Image.open(tmp_path / "new/sheet.png") as sheet:
        assert sheet.format == "PNG"
    write_contact_sheet(tmp_path / "empty.png", [])
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        write_contact_sheet(tmp_path / "file/sheet.png", [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.png", "file", "new"]

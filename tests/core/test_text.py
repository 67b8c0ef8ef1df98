"""Numbers with their nouns."""

from fercli.core.text import format_count


def test_a_noun_follows_its_number():
    assert [format_count(number, "face") for number in (0, 1, 2, 12345)] == [
        "0 faces",
        "1 face",
        "2 faces",
        "12,345 faces",
    ]
    assert [format_count(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]

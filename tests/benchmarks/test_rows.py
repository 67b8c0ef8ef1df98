"""What the benchmarks say of what they measured."""

import pytest

from benchmarks.__main__ import marks, put
from benchmarks.gpu import reached
from benchmarks.rows import Row, table


def test_a_gain_is_above_one_for_better_whichever_way_the_unit_points():
    assert Row("a", 300, "b", 100, "faces/s", "more").gain == 3
    assert Row("a", 2, "b", 5, "s", "less").gain == 2.5


@pytest.mark.parametrize(
    ("ours", "target", "verdict"),
    [
        (30, 3.0, "at least 3 ×: met"),
        (29, 3.0, "at least 3 ×: missed"),
        (20, None, ""),
    ],
)
def test_a_target_is_met_or_missed(ours, target, verdict):
    assert Row("a", ours, "b", 10, "faces/s", "more", target).verdict == verdict


@pytest.mark.parametrize(("ours", "verdict"), [(1.4, "met"), (1.6, "missed")])
def test_a_command_may_take_longer_than_what_it_is_compared_with(ours, verdict):
    assert Row("a", ours, "b", 1.0, "s", "less", 1 / 1.5).verdict == f"within 1.5 × the time: {verdict}"


def test_a_row_of_the_table():
    row = Row("a", 1234.5, "b", 617.25, "faces/s", "more", note="so").to_dict()
    assert table([row]).splitlines()[-1] == "| a (so) | 1,234 faces/s | b: 617 faces/s | 2.00 × |  |"


def test_the_page_keeps_what_is_written_by_hand_and_other_parts(tmp_path):
    page, (begin, end), other = tmp_path / "page.md", marks("startup"), "\n".join(marks("latency"))
    page.write_text(f"By hand.\n{begin}\nold\n{end}\nAfter.\n{other}\n", encoding="utf-8")
    put(page, "startup", "new")
    put(page, "startup", "new")
    assert page.read_text(encoding="utf-8") == f"By hand.\n{begin}\nnew\n{end}\nAfter.\n{other}\n"
    page.write_text("By hand.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the lines"):
        put(page, "startup", "new")
    assert page.read_text(encoding="utf-8") == "By hand.\n"


def test_when_an_accuracy_was_reached(tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("epoch,val_accuracy,seconds\n1,0.5,2\n2,0.7,3\n3,0.6,4\n", encoding="utf-8")
    assert reached(history, 0.6) == (2, 5.0)
    assert reached(history, 0.5) == (1, 2.0)
    assert reached(history, 0.8) is None

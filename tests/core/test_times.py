import pytest

from fercli.core.errors import UsageError
from fercli.core.text import clock, read_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0.5s", 0.5), ("500ms", 0.5), ("2", 2.0), ("2 s", 2.0), (" .25S ", 0.25), ("1min", 60.0), ("0", 0.0)],
)
def test_times_are_read(text, seconds):
    assert read_seconds(text, "--every") == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1h", "1:30", "nan", "inf", "1e3", "9" * 400, "1,5s", "٣"])
def test_what_is_no_time_is_one_line_with_the_flag(text):
    with pytest.raises(UsageError, match=r"--smooth .*not a time") as caught:
        read_seconds(text, "--smooth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "text", "with_tenths"),
    [(0, "0:00", "0:00.0"), (59.96, "0:59", "1:00.0"), (65.32, "1:05", "1:05.3"), (3661, "1:01:01", "1:01:01.0")],
)
def test_times_are_shown(seconds, text, with_tenths):
    assert clock(seconds) == text
    assert clock(seconds, tenths=True) == with_tenths

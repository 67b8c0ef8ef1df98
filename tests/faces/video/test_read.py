import math
import struct
import subprocess
import sys
import textwrap
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import PictureError
from fercli.faces.video.read import TruncatedVideoError, read_video, read_video_info


class FakeCapture:
    """Replaces cv2.VideoCapture: a video with these times in milliseconds, frame rate and frame count."""

    def __init__(self, stamps, rate=10.0, count=None):
        self.stamps, self.rate, self.count = list(stamps), rate, len(stamps) if count is None else count
        self.at, self.retrieved, self.released = -1, [], False

    def isOpened(self):  # noqa: N802
        return True

    def set(self, *_):
        return True

    def get(self, what):
        return {
            cv2.CAP_PROP_FPS: self.rate,
            cv2.CAP_PROP_FRAME_COUNT: float(self.count),
            cv2.CAP_PROP_POS_MSEC: self.stamps[max(self.at, 0)] if self.stamps else 0.0,
        }[what]

    def grab(self):
        self.at += 1
        return self.at < len(self.stamps)

    def retrieve(self):
        self.retrieved.append(self.at)
        return True, np.zeros((4, 4, 3), np.uint8)

    def release(self):
        self.released = True


@pytest.fixture(scope="module")
def clip(tmp_path_factory, videos):
    return videos.write(tmp_path_factory.mktemp("video") / "clip.mp4")


def fake(monkeypatch, tmp_path, capture):
    """A path that cv2.VideoCapture opens as this capture."""
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: capture)
    path = tmp_path / "fake.mp4"
    path.write_bytes(b"video")
    return path


def test_frames_come_in_order_with_their_times_and_pixels(clip, videos):
    frames = list(read_video(clip))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == [round(0.1 * i, 3) for i in range(40)]
    assert all(frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == np.uint8 for frame in frames)
    assert [videos.number(frame.pixels) for frame in frames] == list(range(40))
    assert (read_video_info(clip).rate, read_video_info(clip).seconds) == (10.0, 4.0)


def test_colours_are_red_green_blue(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "red.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    writer.write(np.full((48, 64, 3), (0, 0, 255), np.uint8))
    writer.release()
    (frame,) = read_video(tmp_path / "red.mp4")
    assert frame.pixels[..., 0].min() > 200
    assert frame.pixels[..., 1:].max() < 60


@pytest.mark.parametrize(("every", "step"), [(0.0, 1), (0.1, 1), (0.2, 2), (0.25, 3), (1.0, 10), (99.0, 40)])
def test_frames_are_at_least_so_far_apart(clip, every, step):
    assert [frame.index for frame in read_video(clip, every)] == list(range(0, 40, step))


def test_skipped_frames_are_not_converted(monkeypatch, tmp_path):
    capture = FakeCapture([100 * i for i in range(20)])
    assert len(list(read_video(fake(monkeypatch, tmp_path, capture), 0.5))) == 4
    assert capture.retrieved == [0, 5, 10, 15]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 0, 0], [0.0, 0.1, 0.2]),  # a container without times
        ([0, 100, 50, 300], [0.0, 0.1, 0.2, 0.3]),  # times that go backwards
        ([-40, 60, 160], [0.0, 0.06, 0.16]),
        ([0, 33.4, 500, 512.3456], [0.0, 0.033, 0.5, 0.512]),  # a variable rate
    ],
)
def test_times_are_those_of_the_container_and_never_go_backwards(monkeypatch, tmp_path, stamps, times):
    frames = read_video(fake(monkeypatch, tmp_path, FakeCapture(stamps)))
    assert [frame.time for frame in frames] == times


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e6), min_size=1, max_size=30),
    st.sampled_from([0.0, math.nan, 1e9, -1.0, 0.5, 29.97, 90_000.0]),
    st.floats(0, 3),
)
def test_times_increase_whatever_the_container_says(tmp_path_factory, stamps, rate, every):
    with pytest.MonkeyPatch.context() as patch:
        path = fake(patch, tmp_path_factory.getbasetemp(), FakeCapture(stamps, rate))
        frames = list(read_video(path, every))
    assert frames[0].index == 0
    assert all(b.time - a.time >= every - 0.0031 for a, b in pairwise(frames))
    assert all(b.index > a.index and b.time >= a.time >= 0 for a, b in pairwise(frames))


def test_a_rotated_telephone_video_comes_out_upright(clip, tmp_path):
    """The rotation by 90° is in the matrix of the track header, where telephones write it."""
    content = bytearray(clip.read_bytes())
    at = content.find(b"tkhd") + 4 + 4 + 20 + 8 + 8
    assert struct.unpack(">9i", content[at : at + 36])[0] == 1 << 16
    content[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(content)
    assert next(read_video(tmp_path / "turned.mp4")).pixels.shape == (64, 48, 3)


@pytest.mark.parametrize("every", [0.0, 0.5])
def test_a_truncated_video_gives_its_good_frames_and_says_where_it_ends(tmp_path, videos, every):
    whole = videos.write(tmp_path / "whole.avi", encoder="MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    good = []
    with pytest.raises(TruncatedVideoError, match=r"^damaged: only 0:0\d of 0:04 could be read$") as caught:
        good.extend(read_video(tmp_path / "cut.avi", every))
    assert 10 < caught.value.index < 30
    assert good[-1].index < caught.value.index
    assert abs(caught.value.time - caught.value.index / 10) < 0.11


@pytest.mark.parametrize("count", [-1, 0, 96, 100, 104, 105, math.nan])
def test_a_slightly_wrong_frame_count_is_not_an_error(monkeypatch, tmp_path, count):
    capture = FakeCapture([100 * i for i in range(100)], count=count)
    assert len(list(read_video(fake(monkeypatch, tmp_path, capture)))) == 100


def test_a_variable_frame_rate_is_not_an_error(monkeypatch, tmp_path):
    """OpenCV estimates the frame count of Matroska files as length times rate: too high for screen recordings."""
    capture = FakeCapture([1000 * i for i in range(30)], rate=60.0, count=1800)
    assert len(list(read_video(fake(monkeypatch, tmp_path, capture)))) == 30


def test_files_that_are_not_videos_and_videos_without_frames(monkeypatch, tmp_path, clip):
    def reason(path):
        with pytest.raises(PictureError) as caught:
            list(read_video(path))
        assert not isinstance(caught.value, TruncatedVideoError)
        return str(caught.value)

    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:1000])
    assert reason(tmp_path / "gone.mp4") == "no such file"
    assert reason(tmp_path / "empty.mp4") == "the file is empty"
    for name in ("text.mp4", "cut.mp4"):
        assert reason(tmp_path / name) == "not a video, damaged, or in a format that OpenCV cannot read"
    assert reason(fake(monkeypatch, tmp_path, FakeCapture([]))) == "a video without a frame that can be decoded"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are not UTF-8")
def test_a_name_that_is_not_utf_8_is_an_error(tmp_path, clip):
    path = tmp_path / "caf\udce9.mp4"
    path.write_bytes(clip.read_bytes())
    with pytest.raises(PictureError, match="rename the file"):
        next(read_video(path))


def test_the_capture_is_released_at_the_end_and_when_reading_stops(monkeypatch, tmp_path):
    whole, left = FakeCapture([0, 100, 200]), FakeCapture([0, 100, 200])
    assert len(list(read_video(fake(monkeypatch, tmp_path, whole)))) == 3
    frames = read_video(fake(monkeypatch, tmp_path, left))
    next(frames)
    assert not left.released
    frames.close()
    assert whole.released
    assert left.released


def test_decoders_write_nothing_to_the_terminal(tmp_path, videos):
    """Run in a new process, because OpenCV reads its log level only once."""
    whole = videos.write(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:1000])
    (tmp_path / "noise.mp4").write_bytes(bytes(b ^ (i % 7 == 0) for i, b in enumerate(whole)))
    program = """
        from contextlib import suppress
        from pathlib import Path
        from fercli.core.errors import PictureError
        from fercli.faces.video.write import find_mp4_encoder
        from fercli.faces.video.read import read_video
        for name in ("cut.mp4", "noise.mp4"):
            with suppress(PictureError):
                list(read_video(Path(name)))
        print(find_mp4_encoder())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() in ("avc1", "mp4v")
    assert done.stderr == ""

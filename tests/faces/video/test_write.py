import numpy as np
import pytest

from fercli.core.errors import MachineError, RunError
from fercli.faces.video.read import read_video, read_video_info
from fercli.faces.video.write import VideoWriter, find_mp4_encoder


@pytest.fixture
def write(videos):
    """Writes a video of frames 0, 1, 2 … at these times."""

    def write(path, times, rate):
        with VideoWriter(path, rate) as writer:
            for number, time in enumerate(times):
                writer.write(videos.frame(number), time)

    return write


def test_a_video_reads_back_to_its_frames(tmp_path, videos, write):
    write(tmp_path / "sub" / "a.mp4", [0.2 * i for i in range(10)], 5.0)
    assert videos.numbers(tmp_path / "sub" / "a.mp4") == list(range(10))
    assert read_video_info(tmp_path / "sub" / "a.mp4").rate == 5.0
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("times", "rate", "shown"),
    [
        ([0.0, 0.4, 0.5, 0.6], 10.0, [0, 0, 0, 0, 1, 2, 3]),  # a frame is repeated until the next one's time
        ([7.0, 7.21, 7.42, 7.63], 5.0, [0, 1, 2, 3]),  # times are relative to the first frame's
        ([0.0, 0.25, 0.5, 0.75, 1.0], 5.0, [0, 1, 2, 2, 3, 4]),
        ([0.0, 0.01, 0.02, 0.1], 10.0, [2, 3]),  # more frames than the rate allows
        ([0.0, 1000.0], 1.0, [0] * 60 + [1]),  # a long gap is cut short
    ],
)
def test_real_time_is_kept(tmp_path, times, rate, shown, videos, write):
    write(tmp_path / "a.mp4", times, rate)
    assert videos.numbers(tmp_path / "a.mp4") == shown


def test_colours_stay(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 5.0) as writer:
        writer.write(np.full((48, 64, 3), (255, 0, 0), np.uint8), 0.0)
    (only,) = read_video(tmp_path / "a.mp4")
    assert only.pixels[..., 0].min() > 200
    assert only.pixels[..., 2].max() < 60


def test_the_frame_rate_is_limited(tmp_path, write):
    write(tmp_path / "a.mp4", [i / 240 for i in range(48)], 240.0)
    info = read_video_info(tmp_path / "a.mp4")
    assert info.rate == 60.0
    assert abs(info.seconds - 48 / 240) < 0.03


def test_odd_sizes_and_sizes_that_change(tmp_path, videos):
    with VideoWriter(tmp_path / "a.mp4", 5.0) as writer:
        writer.write(videos.frame(0, (65, 49)), 0.0)
        writer.write(videos.frame(1, (33, 99)), 0.2)
        writer.write(videos.frame(2, (64, 48)), 0.4)
    assert videos.numbers(tmp_path / "a.mp4") == [0, 1, 2]
    assert next(read_video(tmp_path / "a.mp4")).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, GeneratorExit])
def test_an_interrupted_video_leaves_the_old_file_and_nothing_else(tmp_path, stop, videos):
    (tmp_path / "a.mp4").write_bytes(b"before")

    def broken_off():
        with VideoWriter(tmp_path / "a.mp4", 5.0) as writer:
            writer.write(videos.frame(0), 0.0)
            raise stop

    with pytest.raises(stop):
        broken_off()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"before"


def test_a_video_that_cannot_be_written_gives_one_line(tmp_path, monkeypatch, write):
    find_mp4_encoder()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        write(tmp_path / "file" / "a.mp4", [0.0], 5.0)
    monkeypatch.setattr("fercli.faces.video.write._count_frames", lambda _: 0)  # as after a full disk
    with pytest.raises(RunError, match="disk is full"):
        write(tmp_path / "a.mp4", [0.0], 5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_missing_encoder_gives_one_line(monkeypatch):
    monkeypatch.setattr("fercli.faces.video.write._ENCODERS", ("none",))
    find_mp4_encoder.cache_clear()
    with pytest.raises(MachineError, match="cannot write mp4") as caught:
        find_mp4_encoder()
    assert "\n" not in str(caught.value)
    find_mp4_encoder.cache_clear()

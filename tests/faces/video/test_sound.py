import shutil

import pytest

from fercli.core.errors import PictureError, RunError
from fercli.faces.video import sound
from fercli.faces.video.read import read_video, read_video_info
from fercli.faces.video.write import VideoWriter

av = pytest.importorskip("av")


def write(path, original, every=0.2, skip=0):
    """Write the frames of a video anew, with its sound, and say why that fails."""
    with VideoWriter(path, 1 / every, original) as writer:
        for frame in list(read_video(original, every))[skip:]:
            writer.write(frame.pixels, frame.time)
    return writer.silent_because


def packets(path):
    with av.open(str(path)) as film:
        return [bytes(packet) for packet in film.demux(audio=0) if packet.size]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.avi", "libmp3lame"), ("a.mov", "pcm_s16le"), ("a.mkv", "flac")],
)
def test_the_beep_is_heard_when_it_was(tmp_path, videos, name, codec):
    original = videos.write_with_beep(tmp_path / name, codec)
    assert write(tmp_path / "out.mp4", original) == ""
    assert videos.find_beep(tmp_path / "out.mp4") == pytest.approx(videos.find_beep(original), abs=0.005)
    assert videos.find_beep(original) == pytest.approx(2.0, abs=0.1)
    sampled = [videos.number(frame.pixels) for frame in read_video(original, 0.2)]
    assert videos.numbers(tmp_path / "out.mp4") == sampled


def test_packets_are_copied_as_they_are(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.mkv")
    write(tmp_path / "out.mp4", original)
    before, after = packets(original), packets(tmp_path / "out.mp4")
    assert len(after) > len(before) - 3
    assert set(after) <= set(before)


def test_pictures_that_begin_later_than_the_sound_stay_in_time_with_it(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.mp4", late=0.7)
    write(tmp_path / "out.mp4", original)
    assert videos.find_beep(tmp_path / "out.mp4") == pytest.approx(2.0, abs=0.07)


def test_sound_follows_where_only_the_end_of_a_video_is_taken(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.mp4")
    write(tmp_path / "out.mp4", original, skip=5)
    assert videos.find_beep(tmp_path / "out.mp4") == pytest.approx(1.0, abs=0.07)


def test_sound_ends_with_the_pictures(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.mp4")
    with VideoWriter(tmp_path / "out.mp4", 5.0, original) as writer:
        writer.write(videos.frame(0), 0.0)
        writer.write(videos.frame(1), 0.8)
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert float(film.duration) / av.time_base == pytest.approx(1.0, abs=0.07)


def test_a_silent_video_stays_silent_without_a_word(tmp_path, videos):
    assert write(tmp_path / "out.mp4", videos.write(tmp_path / "a.mp4")) == ""
    assert packets_of_sound(tmp_path / "out.mp4") == 0
    assert len(videos.numbers(tmp_path / "out.mp4")) == 20


def packets_of_sound(path):
    with av.open(str(path)) as film:
        return len(film.streams.audio)


def test_sound_that_mp4_cannot_hold_is_left_out_with_a_reason(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.avi", "adpcm_ms")
    assert write(tmp_path / "out.mp4", original) == "its sound (adpcm_ms) cannot be copied into mp4"
    assert packets_of_sound(tmp_path / "out.mp4") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.avi", "out.mp4"]


def test_a_gap_in_the_pictures_that_is_cut_short_leaves_no_sound_out_of_time(tmp_path, videos):
    original = videos.write_with_beep(tmp_path / "a.mp4")
    with VideoWriter(tmp_path / "out.mp4", 1.0, original) as writer:
        for number, time in enumerate((0.0, 1.0, 500.0)):
            writer.write(videos.frame(number), time)
    assert "gap" in writer.silent_because
    assert packets_of_sound(tmp_path / "out.mp4") == 0


def test_frames_minutes_apart_are_all_written(tmp_path, videos):
    with VideoWriter(tmp_path / "out.mp4", 1 / 150) as writer:
        for number in range(3):
            writer.write(videos.frame(number), 150.0 * number)
    assert videos.numbers(tmp_path / "out.mp4") == [0, 1, 2]


def test_the_sound_of_a_damaged_video_ends_where_it_breaks(tmp_path, videos):
    whole = videos.write_with_beep(tmp_path / "a.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 3 // 4])
    shutil.copy(videos.write(tmp_path / "film.mp4"), tmp_path / "out.mp4")
    sound.add_sound(tmp_path / "out.mp4", tmp_path / "cut.mkv", 0.0, 4.0)
    assert 10 < len(packets(tmp_path / "out.mp4")) < len(packets(tmp_path / "a.mkv"))
    assert read_video_info(tmp_path / "out.mp4").seconds == pytest.approx(4.0)


def test_what_is_no_video_has_no_sound(tmp_path, videos):
    film = videos.write(tmp_path / "film.mp4")
    before = film.read_bytes()
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(PictureError, match="cannot be read"):
        sound.add_sound(film, tmp_path / "a.mp4", 0.0, 4.0)
    assert film.read_bytes() == before


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_stop_while_sound_is_copied_leaves_nothing(tmp_path, videos, monkeypatch, stop):
    original = videos.write_with_beep(tmp_path / "a.mp4")

    def stopped(*_):
        raise stop
        yield

    monkeypatch.setattr(sound, "_read_sound", stopped)
    expected, text = (
        (stop, "^$") if stop is KeyboardInterrupt else (RunError, r"cannot write .*[/\\]out\.mp4: No space")
    )
    with pytest.raises(expected, match=text):
        write(tmp_path / "out.mp4", original)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]

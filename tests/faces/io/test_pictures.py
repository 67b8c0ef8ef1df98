import threading

import numpy as np
from PIL import Image

from fercli.faces.io.pictures import read_pictures
from fercli.faces.io.sources import find_sources
from fercli.faces.video.read import Frame, read_video


def test_pictures_and_videos_come_in_order(tmp_path, videos):
    paths = [tmp_path / name for name in ("a.png", "b.mp4", "c.png", "d.mp4", "e.mp4", "f.png", "gone.mp4")]
    for path in paths[:-1]:
        if path.suffix == ".mp4":
            videos.write(path, frames=6)
        else:
            Image.new("RGB", (8, 6)).save(path)
    (tmp_path / "d.mp4").write_text("no video")
    read = [(p.source.path.name, p.frame, p.time, bool(p.error)) for p in read_pictures(find_sources(paths), 0.2)]
    clip = [(0, 0.0, False), (2, 0.2, False), (4, 0.4, False)]
    assert read == [
        ("a.png", None, None, False),
        *(("b.mp4", *frame) for frame in clip),
        ("c.png", None, None, False),
        ("d.mp4", None, None, True),
        *(("e.mp4", *frame) for frame in clip),
        ("f.png", None, None, False),
        ("gone.mp4", None, None, True),
    ]


def test_a_truncated_video_ends_with_an_error(tmp_path, videos):
    whole = videos.write(tmp_path / "whole.avi", encoder="MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    *good, last = read_pictures(find_sources([tmp_path / "cut.avi"]))
    assert [picture.frame for picture in good] == list(range(len(good)))
    assert all(picture.pixels is not None and not picture.error for picture in good)
    assert (last.pixels, last.frame, last.time) == (None, len(good), round(len(good) / 10, 3))
    assert "damaged: only" in last.error


def test_frames_are_decoded_when_they_are_asked_for_and_nothing_stays_open(tmp_path, videos, monkeypatch):
    decoded, closed = [], threading.Event()

    def counted(path, every):
        try:
            for number in range(1000):
                decoded.append(number)
                yield Frame(number, number / 10, np.zeros((4, 4, 3), np.uint8))
        finally:
            closed.set()

    monkeypatch.setattr("fercli.faces.video.read.read_video", counted)
    path = videos.write(tmp_path / "long.mp4", frames=1)
    before = threading.active_count()
    frames = read_pictures(find_sources([path]))
    for taken in range(5):
        assert next(frames).frame == taken
        assert len(decoded) == taken + 1
    frames.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_a_video_can_be_read_twice_at_the_same_time(tmp_path, videos):
    path = videos.write(tmp_path / "a.mp4", frames=8)
    both = zip(read_pictures(find_sources([path])), read_video(path), strict=True)
    assert all(one.frame == other.index for one, other in both)

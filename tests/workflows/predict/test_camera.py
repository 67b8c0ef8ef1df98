"""A camera in real time. A film played at its own pace, or faster, takes its place."""

import csv
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from typer import Exit
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.cli.predict_camera import predict_from_camera
from fercli.core.errors import MachineError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.video import camera as cameras
from fercli.faces.video.camera import Camera
from fercli.workflows.predict import camera as watching
from fercli.workflows.predict.camera import CameraSummary, watch_camera
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import FacePrediction, PictureResult
from fercli.workflows.predict.video import VideoSummary


class Film:
    """A film, played a frame each `seconds`, over and over if it should."""

    def __init__(self, path: Path, seconds: float, most: int = 1000):
        self._capture, self._seconds, self._left = cv2.VideoCapture(str(path)), seconds, most
        self.closed = False

    def read(self):
        time.sleep(self._seconds)
        self._left -= 1
        there, pixels = self._capture.read()
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if there and self._left >= 0 else None

    def close(self):
        self.closed = True
        self._capture.release()


class Counter:
    """Frames that say their number, as fast as they are asked for."""

    def __init__(self, count: int, seconds: float):
        self._count, self._seconds, self.given = count, seconds, 0

    def read(self):
        time.sleep(self._seconds)
        self.given += 1
        return None if self.given > self._count else np.full((2, 2, 3), self.given, np.uint8)

    def close(self):
        pass


class Patient:
    """Gives the first frame, and each further one once the last was taken: no machine is too slow for it."""

    def __init__(self, source: Film | Counter):
        self._source, self._taken = source, Event()
        self.go_on()

    def go_on(self) -> None:
        self._taken.set()

    def read(self):
        self._taken.wait(60)
        self._taken.clear()
        return self._source.read()

    def close(self):
        self._source.close()


def test_whoever_is_slow_gets_the_newest_frame_and_the_others_are_dropped():
    source = Counter(100, 0.005)
    seen = []
    with Camera(source) as camera:
        for frame in camera.frames():
            seen.append(frame)
            newest = source.given
            assert frame.pixels[0, 0, 0] >= min(newest, 100) - 2  # not one that has waited
            time.sleep(0.05)
    indices = [frame.index for frame in seen]
    assert indices == sorted(set(indices))
    assert 3 <= len(seen) <= 20
    assert camera.dropped + len(seen) == indices[-1] + 1
    assert all(later.time >= earlier.time for earlier, later in pairwise(seen))


def test_whoever_is_fast_gets_every_frame_once():
    source = Patient(Counter(20, 0))
    seen = []
    with Camera(source) as camera:
        for frame in camera.frames():
            seen.append(frame.index)
            source.go_on()
    assert seen == list(range(20))
    assert camera.dropped == 0


def test_a_camera_that_falls_silent_is_told(monkeypatch):
    monkeypatch.setattr(cameras, "_PATIENCE", 0.1)
    with Camera(Counter(5, 0.5)) as camera, pytest.raises(MachineError, match="given no frame for"):
        list(camera.frames())


def test_rows_come_as_they_happen_and_people_are_followed(crossing, tmp_path):
    output, film = tmp_path / "live.csv", Film(crossing, 0.02)
    options = PredictOptions(device="cpu", output=output, every=0.0, smooth=0.5)
    summary = watch_camera("0", options, None, source=film)
    assert summary.ended
    assert film.closed
    with output.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["face"]]
    assert {row["source"] for row in rows} == {"camera 0"}
    times = [float(row["time"]) for row in rows]
    assert times == sorted(times)
    assert len({row["track"] for row in rows}) <= 4
    assert summary.video.frames + summary.dropped == 40
    with pytest.raises(UsageError, match=r"live\.csv"):
        watch_camera("0", options, None, source=Film(crossing, 0.02))


def test_frames_are_no_closer_than_asked_for(crossing):
    seen = []
    options = PredictOptions(device="cpu", every=0.3)
    watch_camera("0", options, lambda results, classes: seen.extend(results), source=Film(crossing, 0.03))
    times = [result.time for result in seen]
    assert all(later - earlier >= 0.29 for earlier, later in pairwise(times))


def test_the_window_shows_each_frame_and_closes_the_job(crossing, monkeypatch):
    shown: list[tuple[int, ...]] = []
    source = Patient(Film(crossing, 0))

    class Screen:
        def __init__(self, title):
            assert title == "fer: camera 0"

        def show(self, picture):
            shown.append(picture.shape)
            source.go_on()
            return len(shown) < 4

        def close(self):
            shown.append(())

    monkeypatch.setattr(watching, "Window", Screen)
    options = PredictOptions(device="cpu", every=0.0)
    summary = watch_camera("0", options, lambda results, _: list(results), window=True, source=source)
    assert shown == [(240, 320, 3)] * 4 + [()]
    assert not summary.ended


SCRIPT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a script
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_camera import Film
from fercli.workflows.predict import camera
camera.open_camera = lambda name: Film(Path({film!r}), 0.4)
from fercli.cli.app import main
sys.argv = ["fer", "predict", "--camera", "0", "--device", "cpu", "--output", {output!r}]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_it_with_a_whole_file(crossing, tmp_path):
    output = tmp_path / "live.jsonl"
    script = SCRIPT.format(tests=str(Path(__file__).parent), film=str(crossing), output=str(output))
    job = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not output.exists() or output.stat().st_size < 1000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    job.send_signal(signal.SIGINT)
    told = job.communicate(timeout=30)[1]
    assert job.returncode == 130, told
    assert "dropped" in told
    assert "Traceback" not in told
    assert output.read_text().endswith("}\n")


def test_a_camera_that_ends_is_exit_code_1_and_lines_tell_changes(crossing, monkeypatch):
    monkeypatch.setattr(watching, "open_camera", lambda name: Film(crossing, 0.02))
    result = CliRunner().invoke(app, ["predict", "--camera", "0", "--device", "cpu"])
    assert result.exit_code == 1
    assert "camera 0 gives no more frames" in result.stderr
    assert result.stderr.startswith("Ctrl-C ends it\n")
    lines = result.stdout.splitlines()
    assert 1 <= len(lines) < 40
    assert "person 1" in lines[0]
    rows = CliRunner().invoke(app, ["predict", "--camera", "0", "--device", "cpu", "--format", "csv"]).stdout
    assert rows.startswith("source,frame,time")


def test_the_closing_line_counts_those_who_were_seen_briefly(monkeypatch, capsys):
    video = VideoSummary(Path("camera 0"))
    for frame in range(20):
        face = FacePrediction(1, Detection((0, 0, 9, 9), (), 1.0), "happy", 1.0, {"happy": 1.0}, 1 + frame // 19)
        video.add(PictureResult(Path("camera 0"), "ok", "", (face,), frame, frame / 10))
    monkeypatch.setattr(watching, "watch_camera", lambda *_, **__: CameraSummary(video, 3, 2.0, True, False))
    with pytest.raises(Exit):
        predict_from_camera("0", PredictOptions(), "table", False)
    assert (
        capsys.readouterr().err.splitlines()[-1] == "0:02: 20 frames (10.0 a second, 3 dropped), 1 person + 1 briefly"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--camera 99", "--camera 99: there is no such camera"),
        ("--camera 0 a.jpg", "takes no pictures"),
        ("--camera 0 --report a.html", "--camera does not go with --report: leave it out"),
        (
            "--camera 0 --annotate mm --by-person p.csv",
            "--camera does not go with --annotate and --by-person: leave them",
        ),
        ("--camera 0 --resume --output a.csv", "--camera does not go with --resume: leave it out"),
        ("--camera 0 --jobs 2", "--camera does not go with --jobs: leave it out"),
        ("--camera 0 --output a.parquet", "--output a.parquet: with --camera it must end in .csv or .jsonl"),
        ("--camera 0 --output a.json", "--output a.json: with --camera it must end in .csv or .jsonl"),
        ("--camera clip.mp4", "--camera clip.mp4 is a file, not a camera: fer predict clip.mp4"),
        ("--camera 0 --json", "rows one by one"),
        ("a.jpg --show", "--show is for --camera"),
        ("--camera 0 --output faces/", "does not end in"),
    ],
)
def test_what_a_camera_does_not_go_with_is_told(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").touch()
    result = CliRunner().invoke(app, ["predict", *words.split()])
    assert isinstance(result.exception, UsageError | MachineError)
    assert told in str(result.exception)
    assert "Ctrl-C" not in result.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for a screen as Linux does")
def test_without_a_screen_there_is_no_window(crossing, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MachineError, match="--show needs a screen"):
        watch_camera("0", PredictOptions(device="cpu"), None, window=True, source=Film(crossing, 0.02))

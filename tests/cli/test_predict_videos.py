import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

import fercli.faces.mtcnn.detector
import fercli.models.load
from fercli.cli.predict import _read_every, _read_smooth
from fercli.cli.predict_jobs import _describe_next
from fercli.cli.predict_tables import describe_stop, describe_summary, video_table
from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.faces.io.sources import find_sources
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import FacePrediction, PictureResult, PredictSummary
from fercli.workflows.predict.run import JobProgress, _count
from fercli.workflows.predict.video import VideoSummary

CLASSES = ("happy", "sad")
DETECTION = Detection((0, 0, 9, 9), ((0, 0),) * 5, 1.0)


class HappyModel:
    remark = ""
    faces_per_call, threads = 16, 1
    classes = CLASSES

    def probabilities(self, faces):
        import numpy as np

        return np.tile(np.array([0.8, 0.2], np.float32), (len(faces), 1))


class OneFaceDetector:
    def __init__(self, *_: object) -> None:
        pass

    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        return [Detection((10.0, 5.0, 40.0, 35.0), ((5.0, 5.0),) * 5, 0.99)]


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch):
    monkeypatch.setattr("fercli.models.onnx_model.load_onnx_model", lambda *_, **__: None)
    monkeypatch.setattr(fercli.models.load, "load_model", lambda *_, **__: HappyModel())
    monkeypatch.setattr(fercli.faces.mtcnn.detector, "Detector", OneFaceDetector)


def look(name, frame, *faces, status="ok", message=""):
    time = None if frame is None else frame / 10
    return PictureResult(Path(name), status, message, faces, frame, time)


def face(track, label="happy", confidence=0.8):
    other = {"happy": "sad", "sad": "happy"}[label]
    return FacePrediction(1, DETECTION, label, confidence, {label: confidence, other: 1 - confidence}, track)


def test_a_video_is_a_row_a_person_and_its_frames_are_counted(fer, videos, tmp_path):
    videos.write(tmp_path / "clip.mp4")
    code, out, err = fer("predict", "clip.mp4")
    assert code == 0
    head, row = out.splitlines()
    assert head.split()[:6] == ["video", "person", "from", "to", "frames", "mostly"]
    assert row.split()[:8] == ["clip.mp4", "1", "0:00.0", "0:03.8", "20", "happy", "80", "%"]
    assert err.splitlines() == [
        "1 video (20 frames, 1 person), 20 faces: 20 happy",
        "5 frames a second were sampled: --fps N takes another number, --every frame all of them",
    ]


def test_what_is_not_there_is_no_picture_and_no_video(fer, tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    code, _, err = fer("predict", "gone", "gone.mp4", "photo.png")
    assert (code, err.splitlines()[2:]) == (1, ["1 picture, 1 face: 1 happy; 2 failed"])


def test_data_have_a_row_a_face_a_frame(fer, videos, tmp_path):
    videos.write(tmp_path / "clip.mp4")
    _, out, err = fer("predict", "clip.mp4", "--every", "1s", "--json")
    rows = json.loads(out)
    assert [(row["frame"], row["time"], row["track"]) for row in rows] == [(10 * i, float(i), 1) for i in range(4)]
    assert err.splitlines() == ["1 video (4 frames, 1 person), 4 faces: 4 happy"]


def test_pictures_and_videos_have_a_table_each(fer, videos, tmp_path):
    videos.write(tmp_path / "clip.mp4", frames=4)
    (tmp_path / "text.mov").write_text("no video")
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    code, out, err = fer("predict", ".", "--fps", "10", "--annotate", "out")
    assert code == 1
    assert [line.split()[0] for line in out.splitlines() if line] == [
        "file",
        "photo.png",
        "video",
        "clip.mp4",
        "text.mov",
    ]
    assert "failed" in out.splitlines()[-1]
    assert "1 picture, 2 videos (4 frames, 1 person), 5 faces: 5 happy; 1 failed" in err
    assert (tmp_path / "out" / "clip.mp4").is_file()


def test_without_pyav_the_annotated_video_is_silent_and_a_line_says_what_to_install(fer, videos, tmp_path, monkeypatch):
    monkeypatch.setattr("fercli.faces.video.sound.can_copy_sound", lambda: False)
    videos.write(tmp_path / "clip.mp4")
    code, _, err = fer("predict", "clip.mp4", "--annotate", "out")
    assert code == 0
    assert err.splitlines()[0] == "annotated videos have no sound: pip install av keeps it"
    assert len(videos.numbers(tmp_path / "out" / "clip.mp4")) == 20
    code, _, err = fer("predict", "clip.mp4")
    assert "sound" not in err


def test_an_annotated_video_has_the_sound_or_a_line_says_why_not(fer, videos, tmp_path):
    pytest.importorskip("av")
    videos.write_with_beep(tmp_path / "clip.mp4")
    code, _, err = fer("predict", "clip.mp4", "--annotate", "out")
    assert code == 0
    assert "sound" not in err
    assert videos.find_beep(tmp_path / "out" / "clip.mp4") == pytest.approx(2.0, abs=0.1)
    videos.write_with_beep(tmp_path / "old.avi", "adpcm_ms")
    code, _, err = fer("predict", "old.avi", "--annotate", "out")
    assert code == 0
    assert "old.avi: annotated without sound: its sound (adpcm_ms) cannot be copied into mp4" in err.splitlines()


@pytest.mark.parametrize(
    "flags", [["--fps", "2"], ["--every", "1s"], ["--smooth", "0.5s"], ["--fps", "1", "--smooth", "1"]]
)
def test_without_a_video_flags_for_videos_are_one_line(fer, tmp_path, flags):
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    code, _, err = fer("predict", "photo.png", *flags)
    assert code == 0
    assert err.splitlines()[-1] == f"no video among the inputs: {' and '.join(flags[::2])} had no effect"


def test_a_file_of_people_without_a_video_is_told(fer, tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    code, _, err = fer("predict", "photo.png", "--by-person", "people.csv")
    assert code == 0
    assert "no video among the inputs, so people.csv lists nobody" in err.splitlines()
    assert "people in people.csv" not in err


@pytest.mark.parametrize("flags", [["--fps", "2", "--every", "1s"], ["--smooth", "9"], ["--every", "often"]])
def test_what_cannot_be_is_refused_before_anything_is_read(fer, flags):
    code, out, err = fer("predict", "gone.mp4", *flags)
    assert (code, out) == (2, "")
    assert err.startswith("error: --")
    assert err.count("\n") == 1


def summary(name, *results):
    video = VideoSummary(Path(name))
    for result in results:
        video.add(result)
    return video


def shown(videos, width=100):
    console = Console(width=width)
    with console.capture() as caught:
        console.print(video_table(videos, CLASSES, width))
    return [line.split() for line in caught.get().splitlines()]


def test_the_table_says_what_each_showed_mostly_and_who_was_seen_briefly():
    frames = [look("a.mp4", i, face(1, "sad", 0.6)) for i in range(4)]
    frames += [look("a.mp4", i, face(1, "happy", 0.9), face(2)) for i in range(4, 7)]
    rows = shown([summary("a.mp4", *frames)])
    assert rows[1] == ["a.mp4", "1", "0:00.0", "0:00.6", "7", "sad", "73", "%", "61", "39"]
    assert rows[2] == ["+", "1", "briefly"]
    assert len(rows) == 3


def test_videos_without_faces_and_broken_ones_have_a_row():
    empty = summary("a.mp4", look("a.mp4", 0, status="no face"))
    bad = summary("b.mp4", look("b.mp4", None, status="failed", message="not a video"))
    broken = summary("c.mp4", look("c.mp4", 0, face(1)), look("c.mp4", 1, status="failed", message="damaged"))
    rows = shown([empty, bad, broken], 60)
    assert rows[1:3] == [["a.mp4", "no", "face"], ["b.mp4", "failed"]]
    assert rows[3][:2] == ["c.mp4", "1"]
    assert rows[4] == ["failed"]


def test_a_stop_says_where_in_the_video():
    counted = PredictSummary(inputs=3, video_inputs=1, classes=CLASSES)
    for result in (look("a.png", None), look("a.mp4", 655, face(1))):
        counted.add(result)
    assert describe_stop(counted) == "stopped at 1:05 of a.mp4"
    assert describe_summary(counted) == "1 picture, 1 video (1 frame, 1 person), 1 face: 1 happy"


def test_a_stop_within_a_video_says_that_it_begins_again(tmp_path):
    settings = PredictOptions(output=tmp_path / "a.csv")
    assert _describe_next(settings, "a.csv", within_video=False).endswith("with --resume continues a.csv")
    assert _describe_next(settings, "a.csv", within_video=True).endswith("a.csv, and begins this video again")


@pytest.mark.parametrize(
    ("every", "fps", "seconds"), [(None, None, 0.2), ("500ms", None, 0.5), ("frame", None, 0.0), (None, 4.0, 0.25)]
)
def test_frames_are_sampled_as_is_typed(every, fps, seconds):
    assert _read_every(every, fps) == seconds


def test_smoothing_is_typed_with_units():
    assert _read_smooth(None) == 0.0
    assert _read_smooth("500ms") == _read_smooth("0.5") == 0.5


@pytest.mark.parametrize(("every", "fps"), [("1", 2.0), (None, 0.0), (None, float("nan")), ("x", None)])
def test_sampling_that_cannot_be_is_one_line_with_the_flag(every, fps):
    with pytest.raises(UsageError, match=r"--(every|fps) [^\n]*$"):
        _read_every(every, fps)


@pytest.mark.parametrize("smooth", ["0", "6", "x"])
def test_smoothing_that_cannot_be_is_one_line_with_the_flag(smooth):
    with pytest.raises(UsageError, match=r"--smooth [^\n]*$"):
        _read_smooth(smooth)


def test_the_bar_goes_on_within_a_video(videos, tmp_path):
    class Bar(JobProgress):
        def update(self, done, total, what):
            steps.append((round(done, 2), total, what))

    steps: list[tuple[float, float, str]] = []
    videos.write(tmp_path / "a.mp4")
    Image.new("RGB", (64, 48)).save(tmp_path / "b.png")
    clip, photo = tmp_path / "a.mp4", tmp_path / "b.png"
    results = [look(clip, 0), look(clip, 20), look(photo, None), look(clip.with_name("c.mp4"), 0)]
    assert list(_count(iter(results), find_sources([tmp_path]), PredictSummary(2, 1), Bar())) == results
    assert [step[:2] for step in steps] == [(0, 2), (0.5, 2), (2, 2), (2, 2)]
    assert steps[1][2] == "pictures and videos  a.mp4 0:02 of 0:04, frame 20"
    assert steps[2][2] == "pictures and videos"

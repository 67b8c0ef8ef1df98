"""Videos through the whole job: read, found, followed, drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import MachineError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.io.sources import find_sources
from fercli.faces.mtcnn.detector import Detector
from fercli.faces.video import write
from fercli.faces.video.read import read_video, read_video_info
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.pipeline import predict_sources
from fercli.workflows.predict.visuals.annotate import Annotator, plan_annotations


class BrightnessModel:
    """Happy when the crop is bright, angry when it is dark."""

    classes = ("angry", "happy")
    faces_per_call, threads = 16, 1

    def probabilities(self, faces):
        light = faces.reshape(len(faces), -1).mean(1) / 255
        return np.stack([1 - light, light], 1).astype(np.float32)


class OneFaceDetector:
    """Finds the same face in every picture, and in every frame but the first one."""

    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        return [Detection((10, 20, 38, 48), ((20, 20),) * 5, 0.9)] if picture[-4:].max() > 128 else []


def start(paths, annotations=None, detector=None, **options):
    chosen = PredictOptions(**options)
    stages = [Annotator(annotations, chosen.every, BrightnessModel.classes).draw] if annotations else []
    return predict_sources(find_sources(paths), BrightnessModel(), detector or OneFaceDetector(), chosen, stages)


def run(paths, annotations=None, **options):
    return list(start(paths, annotations, **options))


@pytest.fixture(scope="module")
def crossed(crossing, tmp_path_factory):
    """The crossing heads as the real detector sees them, five frames a second, and the folder of annotations."""
    folder = tmp_path_factory.mktemp("annotations")
    annotations = plan_annotations(find_sources([crossing]), folder)
    return run([crossing], annotations, detector=Detector()), folder


def test_two_heads_that_cross_keep_their_numbers_through_the_real_detector(crossed):
    results, _ = crossed
    assert [result.frame for result in results] == list(range(0, 40, 2))
    left_to_right = [[face.track for face in result.faces] for result in results]
    assert left_to_right[0] == [1, 2]
    assert left_to_right[-1] == [2, 1]
    hidden = [tracks for tracks in left_to_right if len(tracks) == 1]
    assert len(hidden) >= 3
    assert hidden == [[1]] * len(hidden)
    assert {track for tracks in left_to_right for track in tracks} == {1, 2}


def test_the_annotated_video_has_every_frame_that_was_looked_at_with_its_boxes(crossed, crossing):
    results, folder = crossed
    assert sorted(path.name for path in folder.iterdir()) == ["crossing.mp4", "crossing.timeline.png"]
    facts = read_video_info(folder / "crossing.mp4")
    assert (facts.rate, facts.seconds) == (5.0, read_video_info(crossing).seconds)
    drawn, before = list(read_video(folder / "crossing.mp4")), list(read_video(crossing, 0.2))
    assert len(drawn) == len(before) == len(results)
    for annotated, original in zip(drawn, before, strict=True):
        changed = np.abs(annotated.pixels.astype(int) - original.pixels).max(axis=2) > 60
        assert changed.sum() > 300


def test_the_timeline_is_a_picture_of_two_panels(crossed):
    with Image.open(crossed[1] / "crossing.timeline.png") as picture:
        assert picture.width > 2 * picture.height > 300


def test_pictures_and_videos_stand_in_one_job(tmp_path, videos):
    Image.new("RGB", (64, 48), "white").save(tmp_path / "b.png")
    videos.write(tmp_path / "a.mp4")
    videos.write(tmp_path / "c.mp4")
    (tmp_path / "d.mp4").write_text("no video")
    paths = [tmp_path / name for name in ("a.mp4", "b.png", "c.mp4", "d.mp4")]
    results = run([tmp_path], every=0.6, annotations=plan_annotations(find_sources([tmp_path]), tmp_path / "out"))
    clip = [("no face", 0, 0.0), *(("ok", 6 * step, round(0.6 * step, 3)) for step in range(1, 7))]
    assert [(r.source, r.status, r.frame, r.time) for r in results] == [
        *((paths[0], *frame) for frame in clip),
        (paths[1], "ok", None, None),
        *((paths[2], *frame) for frame in clip),
        (paths[3], "failed", None, None),
    ]
    assert [face.track for result in results for face in result.faces] == [1] * 6 + [None] + [1] * 6
    annotations = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert annotations == ["a.mp4", "a.timeline.png", "b.png", "c.mp4", "c.timeline.png"]
    assert abs(read_video_info(tmp_path / "out" / "a.mp4").seconds - 4) < 0.5


def test_smoothing_reaches_the_results_and_without_it_nothing_is_smoothed(tmp_path, videos):
    path = videos.write(tmp_path / "a.mp4", frames=10)

    def happy(**options):
        return [face.probabilities["happy"] for r in run([path], every=0.0, **options) for face in r.faces]

    plain, smooth = happy(), happy(smooth=5.0)
    assert np.std(plain) > 0.05
    assert np.std(smooth) < np.std(plain) / 3


def test_a_video_that_breaks_off_ends_in_a_failed_result_and_its_good_part_is_drawn(tmp_path, videos):
    whole = videos.write(tmp_path / "whole.avi", encoder="MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    sources = find_sources([tmp_path / "cut.avi"])
    results = run([tmp_path / "cut.avi"], every=0.0, annotations=plan_annotations(sources, tmp_path / "out"))
    assert {result.status for result in results[:-1]} == {"ok", "no face"}
    assert results[-1].status == "failed"
    assert results[-1].message.startswith("damaged: only ")
    assert len(videos.numbers(tmp_path / "out" / "cut.mp4")) == len(results) - 1


def test_what_is_broken_off_by_hand_leaves_no_half_video(tmp_path, videos):
    path = videos.write(tmp_path / "a.mp4")
    results = start([path], plan_annotations(find_sources([path]), tmp_path / "out"))
    assert [next(results).frame for _ in range(3)] == [0, 2, 4]
    results.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_annotations_of_videos_are_mp4_and_their_timelines_have_room(tmp_path):
    for name in ("a.mov", "a.mp4", "A.timeline.png", "b.png"):
        (tmp_path / name).touch()
    sources = find_sources([tmp_path / name for name in ("A.timeline.png", "a.mov", "a.mp4", "b.png")])
    annotations = [path.name for path in plan_annotations(sources, tmp_path / "out").values()]
    assert annotations == ["A.timeline.png", "a-2.mp4", "a-3.mp4", "b.png"]
    assert [path.name for path in plan_annotations(sources[1:], tmp_path / "out").values()] == [
        "a.mp4",
        "a-2.mp4",
        "b.png",
    ]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.timeline.png").touch()
    with pytest.raises(UsageError, match=r"a\.timeline\.png exists already.*--force"):
        plan_annotations(sources[1:], tmp_path / "out")
    with pytest.raises(UsageError, match="original"):
        plan_annotations(sources, tmp_path, force=True)


def test_without_an_encoder_the_job_does_not_begin_and_pictures_do(tmp_path, monkeypatch):
    for name in ("a.mov", "b.png"):
        (tmp_path / name).touch()
    monkeypatch.setattr(write, "_ENCODERS", ())
    write.find_mp4_encoder.cache_clear()
    with pytest.raises(MachineError, match="--annotate"):
        plan_annotations(find_sources([tmp_path]), Path("out"))
    assert plan_annotations(find_sources([tmp_path / "b.png"]), Path("out"))
    write.find_mp4_encoder.cache_clear()


def test_the_largest_faces_are_kept_of_each_frame(tmp_path, videos):
    class Growing:
        """A small face on the left, and on the right a smaller one that is the larger from the third frame on."""

        seen = 0

        def find_all(self, pictures):
            return [self.find() for _ in pictures]

        def find(self):
            self.seen += 1
            right = Detection((30, 0, 64 if self.seen > 2 else 34, 48), ((20, 20),) * 5, 0.9)
            return [Detection((0, 0, 20, 30), ((20, 20),) * 5, 0.9), right]

    results = list(start([videos.write(tmp_path / "a.mp4", frames=5)], detector=Growing(), every=0.0, max_faces=1))
    lefts = [[face.detection.box[0] for face in result.faces] for result in results]
    assert lefts == [[0], [0], [30], [30], [30]]
    assert [face.track for result in results for face in result.faces] == [1, 1, 2, 2, 2]

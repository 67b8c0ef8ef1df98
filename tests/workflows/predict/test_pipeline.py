import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import PictureError
from fercli.faces.detection import Detection
from fercli.faces.io import pictures
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source, find_sources
from fercli.models.onnx_model import load_onnx_model
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.pipeline import predict_sources

CLASSES = ("angry", "happy", "neutral")


class BrightnessModel:
    """Happy when the crop is bright, angry when it is dark."""

    classes = CLASSES
    faces_per_call, threads = 16, 1

    def probabilities(self, faces):
        assert faces.dtype == np.uint8
        assert faces.shape[1:] == (1, 48, 48)
        light = faces.reshape(len(faces), -1).mean(1) / 255
        return np.stack([(1 - light) * 0.9, light * 0.9, np.full_like(light, 0.1)], 1).astype(np.float32)


class BlockDetector:
    """Finds a face in every 60-pixel column of a picture that is no single gray of 128."""

    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        if np.all(picture == 128):
            return []
        count = picture.shape[1] // 60
        return [
            Detection((60.0 * i + 5.123456, 5, 60.0 * i + 53, 53), ((60.0 * i + 20, 20.0),) * 5, 0.987654321)
            for i in range(count)
        ]


def save(path: Path, *shades: int) -> Path:
    """A picture with one 60 × 60 block a shade, from left to right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [np.full((60, 60, 3), shade, np.uint8) for shade in shades]
    Image.fromarray(np.concatenate(blocks, axis=1)).save(path)
    return path


def run(paths, **options):
    return list(predict_sources(find_sources(paths), BrightnessModel(), BlockDetector(), PredictOptions(**options)))


def test_faces_are_numbered_from_the_left_with_their_own_expression(tmp_path):
    (result,) = run([save(tmp_path / "a.png", 250, 5, 240)])
    assert result.status == "ok"
    assert [face.number for face in result.faces] == [1, 2, 3]
    assert [face.label for face in result.faces] == ["happy", "angry", "happy"]
    first = result.faces[0]
    assert list(first.probabilities) == list(CLASSES)
    assert first.confidence == first.probabilities["happy"] == max(first.probabilities.values())
    assert first.caption == "1 happy 88 %"
    assert first.detection.box == (5.12, 5, 53, 53)
    assert first.detection.score == 0.987654


def test_every_picture_has_a_result_in_order_and_bad_ones_do_not_stop_the_rest(tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    good, empty = save(tmp_path / "good.png", 250), save(tmp_path / "none.png", 128)
    paths = [text, good, tmp_path / "gone.png", empty, save(tmp_path / "last.png", 5)]
    results = run(paths)
    assert [result.source for result in results] == paths
    assert [result.status for result in results] == ["failed", "ok", "failed", "no face", "ok"]
    assert all(bool(result.message) == (result.status != "ok") for result in results)


def test_a_detector_that_fails_on_one_picture_fails_that_picture_alone(tmp_path):
    class Failing(BlockDetector):
        def find(self, picture):
            if picture[0, 0, 0] == 7:
                return PictureError("the search for faces failed")
            return super().find(picture)

    sources = find_sources([save(tmp_path / "a.png", 7), save(tmp_path / "b.png", 9)])
    assert [r.status for r in predict_sources(sources, BrightnessModel(), Failing())] == ["failed", "ok"]


def test_pictures_are_decoded_only_a_little_ahead(tmp_path, monkeypatch):
    read, lock = [], threading.Lock()

    def counted(path):
        with lock:
            read.append(path)
        return np.full((60, 60, 3), 9, np.uint8)

    monkeypatch.setattr(pictures, "read_picture", counted)
    monkeypatch.setattr(pipeline, "BATCH_PIXELS", 4 * pipeline.MIN_COST)
    monkeypatch.setattr(pipeline, "AHEAD", 2 * pipeline.MIN_COST)
    sources = [Source(Path(f"{i}.png"), Path(f"{i}.png")) for i in range(90)]
    # waiting to be searched, searched together, waiting to be taken, and one in the hands of each stage
    most = pictures.PREFETCH + 4 + 4 + 2 + 4
    results = predict_sources(sources, BrightnessModel(), BlockDetector())
    for taken in range(1, 6):
        next(results)
        assert len(read) <= taken + most
    results.close()
    assert len(read) <= 5 + most


def test_large_pictures_wait_in_smaller_numbers(monkeypatch):
    read = []

    def large(path):
        read.append(path)
        return np.empty((100, 100, 3), np.uint8)

    monkeypatch.setattr(pictures, "read_picture", large)
    monkeypatch.setattr(pictures, "measure_picture", lambda _: 10_000)
    monkeypatch.setattr(pictures, "PREFETCH", 20)
    monkeypatch.setattr(pictures, "PREFETCH_PIXELS", 25_000)
    taken = pictures.read_pictures([Source(Path(f"{i}.png"), Path(f"{i}.png")) for i in range(100)])
    for number in range(1, 31):
        next(taken)
        assert len(read) <= number + 2
    taken.close()


def test_pictures_that_have_come_are_searched_and_named_together_in_order():
    searched, named = [], []

    class Watched(BlockDetector):
        def find_all(self, pictures):
            searched.append(len(pictures))
            return super().find_all(pictures)

    class WatchedModel(BrightnessModel):
        def probabilities(self, faces):
            named.append(len(faces))
            return super().probabilities(faces)

    def come():
        for number in range(40):
            shade = np.full((60, 60 * (1 + number % 3), 3), 128 if number % 5 == 4 else 10 + 5 * number, np.uint8)
            source = Source(Path(f"{number}.png"), Path(f"{number}.png"))
            yield Picture(source, None, "damaged") if number % 7 == 3 else Picture(source, shade)
        come_all.set()

    come_all = threading.Event()
    results = pipeline.classify_faces(come(), WatchedModel(), Watched())
    predicted = [next(results)]
    assert come_all.wait(5)
    predicted += results
    assert [one.result.source.stem for one in predicted] == [str(number) for number in range(40)]
    for number, one in enumerate(predicted):
        wanted = "failed" if number % 7 == 3 else "no face" if number % 5 == 4 else "ok"
        assert one.result.status == wanted
        assert len(one.result.faces) == (1 + number % 3 if wanted == "ok" else 0)
        assert all(
            face.probabilities["happy"] == pytest.approx((10 + 5 * number) / 255 * 0.9, abs=2e-6)
            for face in one.result.faces
        )
    assert len(searched) <= 3
    # always as many: else a face's last digits depend on what is named with it, and resumed jobs differ
    assert set(named) == {WatchedModel.faces_per_call}


def test_a_source_with_a_fault_is_a_failed_result(tmp_path):
    good = save(tmp_path / "a.png", 9)
    (tmp_path / "empty").mkdir()
    results = run([tmp_path / "empty", good])
    assert [(result.status, result.message) for result in results] == [
        ("failed", "a folder without pictures"),
        ("ok", ""),
    ]


@pytest.mark.parametrize("minimum", [0.0, 0.88])
def test_faces_that_are_confident_enough_keep_their_label(tmp_path, minimum):
    (result,) = run([save(tmp_path / "a.png", 250, 5)], min_confidence=minimum)
    assert [face.label for face in result.faces] == ["happy", "angry"]


def test_below_the_minimum_confidence_only_the_label_changes(tmp_path):
    photo = save(tmp_path / "a.png", 250, 100)
    (sure,), (unsure,) = run([photo]), run([photo], min_confidence=0.6)
    assert [(face.label, face.caption) for face in unsure.faces] == [
        ("happy", "1 happy 88 %"),
        ("unsure", "2 unsure 55 %"),
    ]
    assert unsure.faces[1].confidence == sure.faces[1].confidence
    assert unsure.faces[1].probabilities == sure.faces[1].probabilities


def test_stages_see_every_prediction_in_their_order(tmp_path):
    seen = []

    def watch(name):
        def stage(predicted):
            for item in predicted:
                seen.append((name, item.result.source.name, item.picture.pixels.shape))
                yield item

        return stage

    stages = [watch("first"), watch("second")]
    sources = find_sources([save(tmp_path / "a.png", 9), save(tmp_path / "b.png", 9, 9)])
    results = list(predict_sources(sources, BrightnessModel(), BlockDetector(), stages=stages))
    assert [result.source.name for result in results] == ["a.png", "b.png"]
    assert seen == [
        ("first", "a.png", (60, 60, 3)),
        ("second", "a.png", (60, 60, 3)),
        ("first", "b.png", (60, 120, 3)),
        ("second", "b.png", (60, 120, 3)),
    ]


class SizedDetector:
    """Finds faces of these widths side by side, all 20 pixels high."""

    def __init__(self, *widths):
        self.widths = widths

    def find_all(self, pictures):
        return [self.find() for _ in pictures]

    def find(self):
        lefts = [sum(self.widths[:index]) for index in range(len(self.widths))]
        return [
            Detection((left, 0.0, left + width, 20.0), ((0.0, 0.0),) * 5, 0.9)
            for left, width in zip(lefts, self.widths, strict=True)
        ]


@pytest.mark.parametrize(
    ("most", "kept"),
    [(0, None), (1, [40]), (2, [30, 40]), (3, [30, 40, 30]), (4, [30, 20, 40, 30]), (9, None)],
)
def test_the_largest_faces_are_kept_and_numbered_from_the_left(tmp_path, most, kept):
    widths = (10, 30, 20, 40, 30)
    sources = find_sources([save(tmp_path / "a.png", 250, 5, 9), save(tmp_path / "b.png", 250)])
    options = PredictOptions(max_faces=most)
    for result in predict_sources(sources, BrightnessModel(), SizedDetector(*widths), options):
        boxes = [face.detection.box for face in result.faces]
        assert [x2 - x1 for x1, _, x2, _ in boxes] == (kept or list(widths))
        assert boxes == sorted(boxes)
        assert [face.number for face in result.faces] == list(range(1, len(boxes) + 1))


def test_faces_that_are_left_out_are_not_classified(tmp_path):
    class Counting(BrightnessModel):
        faces = 0

        def probabilities(self, faces):
            self.faces += sum(face.any() for face in faces)  # a batch is filled with black ones
            return super().probabilities(faces)

    model = Counting()
    (result,) = predict_sources(
        find_sources([save(tmp_path / "a.png", 250, 250, 250)]), model, BlockDetector(), PredictOptions(max_faces=1)
    )
    assert (len(result.faces), model.faces) == (1, 1)


def test_a_picture_that_fails_or_has_no_face_stays_one_when_faces_are_left_out(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    results = run([tmp_path / "text.png", save(tmp_path / "none.png", 128)], max_faces=2)
    assert [result.status for result in results] == ["failed", "no face"]


def test_a_face_is_classified_alike_whatever_is_classified_with_it_and_in_however_many_threads(monkeypatch):
    crops = list(np.random.default_rng(0).integers(0, 256, (11, 48, 48), dtype=np.uint8))
    model = load_onnx_model(mirrored=True)
    assert model is not None
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = [next(pipeline._classify_crops(model, [crop])) for crop in crops]
    assert list(pipeline._classify_crops(model, crops)) == alone
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert model.threads == 3
    assert list(pipeline._classify_crops(model, crops)) == alone

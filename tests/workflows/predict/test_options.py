import math
from dataclasses import fields, replace
from pathlib import Path
from typing import get_type_hints

import pytest

from fercli.core.errors import UsageError
from fercli.faces.mtcnn import detector
from fercli.workflows.predict.options import PredictKeywords, PredictOptions

#: Options that change no row of a picture that is done: a job is resumed with any of them.
CHANGE_NO_ROW = {
    *("recursive", "from_file", "shard"),  # which pictures
    *("output", "annotate", "explain", "report", "save_crops", "embeddings", "by_person"),  # where results go
    *("device", "engine", "resume", "force"),
    "model",  # compared by its weights
}


def test_whatever_changes_a_row_is_compared_when_a_job_is_resumed():
    key = PredictOptions().resume_key()
    changing = {option.name for option in fields(PredictOptions)} - CHANGE_NO_ROW
    assert {name.replace("-", "_") for name in key} == changing
    other = {"tta": False, "raw": True, "every": 0.5, "smooth": 0.5, "min_confidence": 0.5}
    changed = replace(PredictOptions(), **other).resume_key()
    assert {name for name in key if key[name] != changed[name]} == {name.replace("_", "-") for name in other}


def test_keywords_are_options_with_their_types():
    hints = get_type_hints(PredictOptions)
    keywords = get_type_hints(PredictKeywords)
    assert keywords == {name: hints[name] for name in keywords}
    assert keywords.keys() == hints.keys() - CHANGE_NO_ROW | {"model", "device", "engine", "recursive"}


def test_defaults_of_the_search_are_the_detectors():
    options = PredictOptions()
    assert (options.min_face, options.max_side) == (detector.MIN_FACE, detector.MAX_SIDE)
    assert options.threshold == detector.THRESHOLDS[2]


@pytest.mark.parametrize("minimum", [-0.1, 1.01, 60, math.nan, math.inf])
def test_a_confidence_is_from_0_to_1(minimum):
    assert PredictOptions(min_confidence=0.0) != PredictOptions(min_confidence=1.0)
    with pytest.raises(UsageError, match=r"--min-confidence .* must be from 0 to 1"):
        PredictOptions(min_confidence=minimum)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_faces": -1}, "--max-faces -1: 1 or more, or 0 for all faces"),
        ({"every": -1.0}, "--every -1: seconds, 0 or more"),
        ({"every": math.inf}, "--every inf"),
        ({"smooth": 5.5}, "--smooth 5.5: 0 to 5 seconds"),
        ({"smooth": math.nan}, "--smooth nan"),
        ({"faces_are_cropped": True, "max_side": 500}, "searches nothing"),
        ({"output": Path("a.xlsx")}, r"a\.xlsx does not end in \.csv, \.jsonl, \.json, \.parquet"),
        ({"engine": "tensorrt"}, "no engine 'tensorrt': it is auto, onnx, torch"),
        ({"engine": "onnx", "explain": Path("maps")}, "--explain computes gradients, which --engine onnx has not"),
        ({"resume": True}, "--resume needs an --output"),
        ({"resume": True, "output": Path("a.json")}, "written whole, at its end"),
        ({"resume": True, "force": True, "output": Path("a.csv")}, "leave one out"),
        ({"annotate": Path("a"), "explain": Path("./b/../a")}, "name the same folder"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(options, told):
    with pytest.raises(UsageError, match=told) as refusal:
        PredictOptions(**options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("output", "resumes"), [("a.csv", True), ("a.PARQUET", True), ("a.json", False)])
def test_a_file_that_grows_can_be_resumed(output, resumes):
    assert PredictOptions(output=Path(output)).can_resume == resumes

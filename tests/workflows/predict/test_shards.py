"""A job in shards: together they are the job, byte for byte, and what is missing or changed is named."""

import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fercli.core.errors import RunError, UsageError
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.run import run_job
from fercli.workflows.predict.shards import choose_sources, collect_shards


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Seven faces, one of them damaged."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        Image.fromarray(rng.integers(0, 255, (48, 48), np.uint8)).save(folder / f"{number}.png")
    (folder / "3b.png").write_bytes(b"no picture")
    return folder


def predict(pictures: Path, output: Path, shard: str | None = None, **options: object):
    return run_job([pictures], PredictOptions(output=output, shard=shard, faces_are_cropped=True, **options))


@given(st.lists(st.integers(), max_size=30), st.integers(1, 40))
def test_shards_one_after_the_other_are_all_sources(sources, count):
    shards = [choose_sources(sources, (number, count)) for number in range(1, count + 1)]
    assert list(chain.from_iterable(shards)) == sources
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_shards_together_are_the_whole_job(pictures, tmp_path, suffix):
    whole = predict(pictures, tmp_path / f"whole{suffix}")
    output = tmp_path / f"faces{suffix}"
    for number in (9, 2, 1, 3, 4, 5, 6, 7, 8):  # more shards than pictures, in any order
        predict(pictures, output, f"{number}/9")
    summary = collect_shards(output)
    assert output.read_bytes() == whole.output.read_bytes()
    assert (summary.inputs, summary.faces, summary.failed) == (whole.inputs, whole.faces, whole.failed) == (7, 6, 1)
    assert summary.labels == whole.labels
    # the collected file is one that more pictures can be added to
    Image.new("L", (48, 48)).save(pictures / "9.png")
    assert predict(pictures, output, resume=True).inputs == 8


def test_a_shard_is_continued_and_done_once(pictures, tmp_path):
    output = tmp_path / "faces.csv"
    predict(pictures, output, "1/2")
    file = tmp_path / "faces.1-of-2.csv"
    before = file.read_bytes()
    record = file.with_name(f"{file.name}.job")
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    file.write_bytes(before[: len(before) // 2])  # as a kill leaves it
    assert not predict(pictures, output, "1/2").nothing_left
    assert file.read_bytes() == before
    assert predict(pictures, output, "1/2").nothing_left


def test_what_is_missing_is_named(pictures, tmp_path):
    output = tmp_path / "faces.csv"
    with pytest.raises(RunError, match="no shards of"):
        collect_shards(output)
    predict(pictures, output, "2/4")
    with pytest.raises(RunError, match="missing: 1/4, 3/4, 4/4 of"):
        collect_shards(output)
    for number in (1, 3, 4):
        predict(pictures, output, f"{number}/4")
    record = tmp_path / "faces.3-of-4.csv.job"
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    with pytest.raises(RunError, match="unfinished: 3/4 of"):
        collect_shards(output)
    predict(pictures, output, "3/4")
    predict(pictures, output, "1/2")
    with pytest.raises(RunError, match="are of 2 and 4: remove"):
        collect_shards(output)
    assert not output.exists()


def test_shards_of_different_jobs_are_not_mixed(pictures, tmp_path):
    output = tmp_path / "faces.csv"
    predict(pictures, output, "1/2")
    predict(pictures, output, "2/2", raw=True)
    with pytest.raises(RunError, match=r"different jobs \(raw: no, yes"):
        collect_shards(output)


def test_shards_of_other_pictures_are_not_mixed(pictures, tmp_path):
    output = tmp_path / "faces.csv"
    predict(pictures, output, "1/2")
    shutil.copy(pictures / "0.png", pictures / "00.png")  # the shards' border moves
    predict(pictures, output, "2/2")
    with pytest.raises(RunError, match=r"different jobs \(pictures: 7 \(\w+\), 8 \("):
        collect_shards(output)
    with pytest.raises(RunError, match=r"begun differently \(pictures: 7"):
        predict(pictures, output, "1/2")


def test_what_makes_no_sense_with_shards_is_refused(pictures, tmp_path):
    for options in ({"output": None}, {"output": tmp_path / "a.json"}, {"annotate": tmp_path / "drawn"}):
        with pytest.raises(UsageError, match="--shard"):
            PredictOptions(**{"output": tmp_path / "a.csv", "shard": "1/2", **options})
    with pytest.raises(UsageError, match=r"shards are \.csv"):
        collect_shards(tmp_path / "a.json")
    predict(pictures, tmp_path / "a.csv")
    with pytest.raises(UsageError, match="exists already: --force replaces it, or choose another name"):
        collect_shards(tmp_path / "a.csv")

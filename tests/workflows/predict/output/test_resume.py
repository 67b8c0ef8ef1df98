"""A job's file over several starts, without the pictures: results are made up, kills are cuts."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.core.errors import DataError, RunError, UsageError
from fercli.faces.detection import Detection
from fercli.workflows.predict.output import schema
from fercli.workflows.predict.output.parquet import read_origin
from fercli.workflows.predict.output.readers import read_predictions
from fercli.workflows.predict.output.resume import JobFile, JobRecord, cut_back
from fercli.workflows.predict.output.writers import FORMATTERS, append_results, csv_header
from fercli.workflows.predict.results import FacePrediction, PictureResult, source_text

CLASSES = ("angry", "happy")
JOB = JobRecord("0.1.0", "xu-rescnn", ("12345678abc",), {"tta": True, "min-confidence": 0.0})


def face(number):
    detection = Detection((1.25, 2.0, 3.0, 4.0), ((5.0, 6.0),) * 5, 0.99)
    return FacePrediction(number, detection, "happy", 0.75, {"angry": 0.25, "happy": 0.75})


def film(name, frames):
    return [PictureResult(Path(name), "ok", "", (face(1),), frame=i, time=i / 10) for i in range(frames)]


#: What each source gives: pictures with several faces, names and messages with line breaks and quotes, a video.
SOURCES = {
    Path("a.png"): [PictureResult(Path("a.png"), "ok", "", (face(1), face(2)))],
    Path('b "x",\n.png'): [PictureResult(Path('b "x",\n.png'), "no face", "no face found")],
    Path("film.mp4"): film("film.mp4", 3),
    Path("ü.png"): [PictureResult(Path("ü.png"), "failed", 'a "message",\nof two\r lines')],
    Path("z.png"): [PictureResult(Path("z.png"), "ok", "", (face(1), face(2)))],
}


class Killed(BaseException):
    pass


def work(path, resume=False, sources=SOURCES, stop=None, job=JOB, force=False):
    """One start of a job, killed after `stop` results. Gives the sources that were worked on."""
    file = JobFile(path, path.suffix[1:])
    file.check(resume, force)
    done = {source_text(result.source) for result in file.begin(job, resume)}
    left = [source for source in sources if source_text(source) not in done]

    def results():
        made = 0
        for source in left:
            for result in sources[source]:
                if made == stop:
                    raise Killed
                made += 1
                yield result

    try:
        file.write(results(), CLASSES)
        file.finish(CLASSES)
    except Killed:
        pass
    return left


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def ends(content, form):
    """The bytes after which a source's rows begin, and where the file ends."""
    texts, end = [csv_header(CLASSES)] if form == "csv" else [], 0
    texts += ["".join(list(FORMATTERS[form](results, CLASSES))[form == "csv" :]) for results in SOURCES.values()]
    found = [0]
    for text in texts:
        end += len(text.encode())
        found.append(end)
    assert end == len(content)
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_cut_anywhere_only_whole_sources_are_kept(tmp_path, form):
    path = tmp_path / f"a.{form}"
    work(path)
    content = path.read_bytes()
    starts = ends(content, form)
    # JSON lines have no quotes over several lines: not every byte is another case
    for size in range(0, len(content) + 1, 1 if form == "csv" else 7):
        path.write_bytes(content[:size])
        cut_back(path, form)
        kept = path.read_bytes()
        assert content.startswith(kept)
        assert len(kept) in starts
        # no more than the last source and what is cut in two is lost
        assert sum(len(kept) < start <= size for start in starts) <= 2, size


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_cut_anywhere_grows_to_the_same_bytes(tmp_path, form):
    path = tmp_path / f"a.{form}"
    work(path)
    content, record = path.read_bytes(), path.with_name(f"{path.name}.job")
    complete = record.read_bytes()
    beside = {start + step for start in ends(content, form) for step in (-1, 0, 1)}
    for size in sorted(beside | set(range(0, len(content), 83))):
        path.write_bytes(content[: max(0, size)])
        JOB.write(record)
        assert Path("z.png") in work(path, resume=True)
        assert path.read_bytes() == content, size
        assert record.read_bytes() == complete


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_killed_again_and_again_it_comes_to_the_same_end(tmp_path, form):
    path, whole = tmp_path / f"a.{form}", tmp_path / f"whole.{form}"
    work(whole)
    assert work(path, stop=2) == list(SOURCES)
    # two results are there; the second one's source is done anew
    assert work(path, resume=True, stop=3) == list(SOURCES)[1:]
    # three more: the video's last frame among them is not its last
    assert work(path, resume=True, stop=0) == list(SOURCES)[2:]
    assert work(path, resume=True, stop=4) == list(SOURCES)[1:]
    work(path, resume=True)
    assert list(read_predictions(path)) == list(read_predictions(whole))
    if form != "parquet":
        assert path.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_complete_job_has_nothing_left_and_takes_new_pictures(tmp_path, form):
    path = tmp_path / f"a.{form}"
    few = {source: SOURCES[source] for source in list(SOURCES)[1:3]}
    work(path, sources=few)
    before = path.read_bytes()
    assert work_left(path, few) == []
    assert path.read_bytes() == before
    assert work(path, resume=True) == [source for source in SOURCES if source not in few]
    expected = [*few.values(), *(SOURCES[source] for source in SOURCES if source not in few)]
    assert list(read_predictions(path)) == [result for results in expected for result in results]
    assert names(tmp_path) == ([path.name] if form == "parquet" else [path.name, f"{path.name}.job"])


def work_left(path, sources):
    """What a resumed job would work on."""
    done = {source_text(result.source) for result in JobFile(path, path.suffix[1:]).begin(JOB, resume=True)}
    return [source for source in sources if source_text(source) not in done]


def test_new_pictures_broken_off_do_not_undo_what_was_complete(tmp_path):
    path = tmp_path / "a.csv"
    last = {Path("z.png"): SOURCES[Path("z.png")]}
    work(path, sources=last)
    work(path, resume=True, stop=0)
    # z.png was complete before: it is not done anew behind the others
    assert Path("z.png") not in work(path, resume=True)
    assert next(read_predictions(path)).source == Path("z.png")


def test_rows_that_were_taken_out_are_done_anew(tmp_path):
    path = tmp_path / "a.jsonl"
    work(path)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if '"failed"' not in line))
    assert work(path, resume=True) == [Path("ü.png")]


def test_what_was_broken_off_is_told_from_what_is_complete(tmp_path):
    path = tmp_path / "a.csv"
    work(path, stop=2)
    assert not JobFile(path, "csv").complete
    with pytest.raises(UsageError, match="interrupted job: --resume continues it, --force starts over"):
        work(path)
    work(path, resume=True)
    assert JobFile(path, "csv").complete
    with pytest.raises(UsageError, match="exists already: --force replaces it, or --resume adds"):
        work(path)
    path.unlink()
    with pytest.raises(UsageError, match="nothing to resume"):
        work(path, resume=True)
    work(path)


def test_force_starts_over(tmp_path):
    path = tmp_path / "a.csv"
    work(path, stop=2)
    assert work(path, force=True) == list(SOURCES)
    assert len(list(read_predictions(path))) == 7


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("stop", [None, 2])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"settings": {**JOB.settings, "tta": False}}, "tta: yes, now no"),
        ({"settings": {**JOB.settings, "every": 5}}, "every: 0.2, now 5"),
        ({"schema": 3}, "schema: 2, now 3"),
        ({"model": "lenet", "weights": ("ffff",)}, "model: xu-rescnn, now lenet"),
        ({"weights": ("87654321abc",)}, r"model: xu-rescnn \(12345678\), now xu-rescnn \(87654321\)"),
        ({"version": "0.2.0"}, "fercli: 0.1.0, now 0.2.0"),
    ],
)
def test_another_model_or_setting_is_refused_by_name(tmp_path, form, stop, change, told):
    path = tmp_path / f"a.{form}"
    work(path, stop=stop)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(RunError, match=told):
        work(path, resume=True, job=replace(JOB, **change))
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_file_of_unknown_origin_is_not_gone_on_with(tmp_path):
    path = tmp_path / "a.csv"
    work(path)
    (tmp_path / "a.csv.job").unlink()
    with pytest.raises(RunError, match=r"has no a\.csv\.job beside it"):
        work(path, resume=True)
    (tmp_path / "a.csv.job").write_text('{"settings": 3}')
    with pytest.raises(RunError, match="no record of a job"):
        work(path, resume=True)


def test_a_file_damaged_before_its_end_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "a.jsonl"
    work(path, stop=5)
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join([*lines[:2], b"{\n", *lines[2:]]))
    before = path.read_bytes()
    with pytest.raises(DataError, match="line 3"):
        work(path, resume=True)
    assert path.read_bytes() == before


def test_a_parquet_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.parquet"
    work(path, stop=2)
    assert names(tmp_path) == ["a.parquet.job", "a.parquet.part.jsonl"]
    work(path, resume=True)
    assert names(tmp_path) == ["a.parquet"]
    assert read_origin(path) == {**JOB.to_dict(), "weights": ["12345678abc"], "complete": True}
    before = path.read_bytes()
    work(path, force=True, stop=1)
    assert path.read_bytes() == before
    work(path, resume=True)
    assert names(tmp_path) == ["a.parquet"]


def test_results_are_in_the_file_as_they_come(tmp_path):
    path = tmp_path / "a.csv"
    file = JobFile(path, "csv")
    list(file.begin(JOB, resume=False))
    seen = []

    def results():
        for result in SOURCES[Path("film.mp4")]:
            yield result
            seen.append(path.read_bytes().count(b"\n"))

    file.write(results(), CLASSES)
    assert seen == [2, 3, 4]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    path = tmp_path / "folder.csv"
    path.mkdir()
    with pytest.raises(RunError, match=r"cannot write .*folder\.csv: .*--resume continues"):
        append_results(path, "csv", [], CLASSES)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_is_one_line():
    with pytest.raises(RunError, match=r"cannot write /dev/full: No space left on device \(once that is fixed"):
        append_results(Path("/dev/full"), "jsonl", SOURCES[Path("a.png")], CLASSES)


def test_a_model_is_known_by_its_weights(tmp_path):
    record = JobRecord.of(None, {"raw": True})
    assert record.model == "vgg14"
    assert [len(digest) for digest in record.weights] == [64]
    average = JobRecord.of("vgg14+vgg14", {"raw": True})
    assert average.weights == record.weights * 2
    assert record.differences(average) == ["model: vgg14, vgg14+vgg14"]
    assert record.differences(JobRecord.of("vgg14", {"raw": True})) == []


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("stop", [None, 2])
def test_an_older_record_is_resumed_with_the_defaults_of_newer_options(tmp_path, form, stop):
    path = tmp_path / f"a.{form}"
    work(path, stop=stop, sources={Path("a.png"): SOURCES[Path("a.png")]})
    newer = replace(JOB, settings={**JOB.settings, "raw": False, "every": 0.2})
    file = JobFile(path, form)
    list(file.begin(newer, resume=True))
    assert file.assumed == ["raw: no", "every: 0.2"]
    work(path, resume=True, job=newer)
    list(file.begin(newer, resume=True))
    assert file.assumed == []


def test_a_record_of_the_first_version_and_one_of_a_later_version_can_be_read(tmp_path):
    first = {name: value for name, value in JOB.to_dict().items() if name != "schema"}
    assert JobRecord.parse(first, tmp_path).schema == 1
    assert JobRecord.parse({**first, "schema": 3, "colour": "blue"}, tmp_path) == replace(JOB, schema=3)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("stop", [None, 4])
def test_other_columns_are_named_and_nothing_is_added_to_them(tmp_path, monkeypatch, form, stop):
    path = tmp_path / f"a.{form}"
    work(path, stop=stop)
    monkeypatch.setattr(schema, "_BEFORE", {"source": str, "colour": float, **schema._BEFORE})
    schema._columns.cache_clear()
    monkeypatch.setattr(schema, "_AFTER", {"status": str, "comment": str})
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    try:
        with pytest.raises(RunError, match=r"\(no column colour; no column comment; a column message\): use the same"):
            work(path, resume=True)
    finally:
        schema._columns.cache_clear()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_columns_in_another_order_are_not_added_to(tmp_path):
    path = tmp_path / "a.csv"
    work(path, stop=2)
    with path.open(newline="") as file:
        rows = [[row[1], row[0], *row[2:]] for row in csv.reader(file)]
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    with pytest.raises(RunError, match="columns in another order"):
        work(path, resume=True)


def test_a_file_that_is_removed_while_the_job_runs_is_no_finished_one(tmp_path):
    file = JobFile(tmp_path / "a.csv", "csv")
    file.begin(JOB, resume=False)
    file.write([], CLASSES)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(RunError, match="was removed while the job ran"):
        file.finish(CLASSES)

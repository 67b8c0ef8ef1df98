"""A job into a folder: its files together are the rows of a plain job, wherever they are and whatever happens."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.cli.predict_tables import describe_folder
from fercli.core.errors import MachineError, RunError, UsageError
from fercli.core.progress import SILENT
from fercli.faces.io.archives import Member
from fercli.faces.io.sources import Source
from fercli.faces.io.stores import StoredObject
from fercli.models.locate import weights_path
from fercli.runner.on_ray import RayCluster
from fercli.workflows.predict.folder_job.manifest import Manifest, ShardTask, cut_evenly, make_manifest
from fercli.workflows.predict.folder_job.options import FolderOptions, is_folder
from fercli.workflows.predict.folder_job.run import run_folder_job
from fercli.workflows.predict.folder_job.target import Target
from fercli.workflows.predict.folder_job.worker import ShardWorker, Work, read_model
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.output.resume import JobRecord
from fercli.workflows.predict.run import run_job

parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
fsspec = pytest.importorskip("fsspec", reason="needs the extra remote")

USUAL = {"faces_are_cropped": True, "device": "cpu"}


@pytest.fixture
def pictures(tmp_path, png) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.png").write_bytes(png(number))
    (folder / "3b.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def whole(tmp_path):
    """The rows of a plain job."""

    def rows(*inputs: Path, **options: object) -> list[dict[str, object]]:
        output = tmp_path / "whole.parquet"
        run_job(inputs, PredictOptions(output=output, force=True, **USUAL, **options))
        return parquet.read_table(output).to_pylist()

    return rows


def predict(output: Path | str, *inputs: Path, raw: bool = False, progress=SILENT, **options: object):
    return run_folder_job(inputs, f"{output}/", PredictOptions(raw=raw, **USUAL), FolderOptions(**options), progress)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.integers(1, 80))
def test_shards_are_runs_of_neighbours_of_about_equal_weight(weights, count):
    sources = [Source(Path(str(number)), Path()) for number in range(len(weights))]
    shards = cut_evenly(sources, weights, count)
    assert [source for shard in shards for source in shard] == sources
    assert all(shards)
    assert len(shards) <= count
    most = sum(weights) / count + max(weights)
    assert all(sum(weights[int(source.path.name)] for source in shard) <= most * (1 + 1e-9) for shard in shards)


def test_a_manifest_says_all_that_a_shard_needs(tmp_path):
    (tmp_path / "a.png").write_bytes(b"12345")
    sources = [
        Source(tmp_path / "a.png", Path("a.png")),
        Source(Path("gone"), Path("gone"), "no such file or folder"),
        Source(Path("b.zip/x.png"), Path("x.png"), "", "picture", Member(Path("b.zip"), 7)),
        Source(Path("clip.mp4"), Path("clip.mp4"), kind="video"),
        Source(Path("s3://bucket/c d.png"), Path("c d.png"), stored=StoredObject(12, "mark")),
        Source(Path("s3://bucket/e.tar"), Path("e.tar"), "an archive in a store", stored=StoredObject(9, "", True)),
    ]
    made = make_manifest(["typed"], JobRecord("1", "m", ("w",), {"tta": True}), sources, 3)
    assert sum(len(task.sources) for task in made.tasks) == 6
    made.write(tmp_path / "_manifest.parquet")
    assert Manifest.read(tmp_path / "_manifest.parquet", "it") == made
    (archive,) = [source for task in made.tasks for source in task.sources if source.path.name == "e.tar"]
    assert not archive.error
    rows = parquet.read_table(tmp_path / "_manifest.parquet").to_pylist()
    assert [row["bytes"] for row in rows] == [5, None, None, None, 12, 9]
    assert rows[4]["path"] == "s3://bucket/c d.png"
    assert rows[4]["etag"] == "mark"


def test_shards_are_cut_by_bytes(tmp_path):
    sources = [Source(Path(f"s3://b/{size}"), Path(), stored=StoredObject(size)) for size in (10**9, 10**8, 10**8, 10)]
    tasks = make_manifest([], JobRecord("", "", ()), sources, 2).tasks
    assert [len(task.sources) for task in tasks] == [1, 3]
    assert len(make_manifest([], JobRecord("", "", ()), sources, None).tasks) == 3  # 1.2 GB; one object is no less


def test_the_files_of_a_folder_are_the_whole_job(pictures, tmp_path, whole):
    output = tmp_path / "faces"
    summary = predict(output, pictures, tmp_path / "none.png", shards=4)
    assert sorted(file.name for file in output.iterdir()) == [
        "_manifest.parquet", *(f"shard-{number:05}-of-00004.parquet" for number in range(1, 5)),
    ]  # fmt: skip
    rows = whole(pictures, tmp_path / "none.png")
    assert parquet.read_table(output).to_pylist() == rows  # the manifest is no data to it
    assert (summary.counted.faces, summary.counted.failed, summary.counted.pictures) == (9, 2, 10)


def test_what_is_there_is_not_done_again(pictures, tmp_path, whole):
    output = tmp_path / "faces"
    predict(output, pictures, shards=3)
    (output / "shard-00002-of-00003.parquet").unlink()
    kept = {file: file.stat().st_mtime_ns for file in output.iterdir()}
    (pictures / "new.png").write_bytes(b"listed once: this one is not")
    summary = predict(output, pictures, resume=True)
    assert summary.earlier == 2
    assert all(file.stat().st_mtime_ns == before for file, before in kept.items())
    (pictures / "new.png").unlink()
    assert parquet.read_table(output).to_pylist() == whole(pictures)
    summary = predict(output, pictures, resume=True)
    assert summary.counted.pictures == 0
    (told,) = describe_folder(summary)
    assert told.endswith("has all 3 shards already: nothing left to do (new pictures need another folder)")


def test_where_no_input_is_there_a_folder_is_not_begun_and_not_replaced(pictures, tmp_path):
    output = tmp_path / "faces"
    summary = predict(output, tmp_path / "gone", tmp_path / "*.gif")
    assert (summary.shards, summary.counted.failed) == (0, 2)
    assert list(tmp_path.iterdir()) == [pictures]
    predict(output, pictures, shards=2)
    kept = sorted(output.iterdir())
    assert predict(output, tmp_path / "gone", force=True).counted.failed == 1
    assert sorted(output.iterdir()) == kept


def test_more_shards_than_pictures_are_as_many_as_there_are_and_the_same_command_resumes(pictures, tmp_path):
    output = tmp_path / "faces"
    assert predict(output, pictures, shards=50).shards == 10
    (output / "shard-00003-of-00010.parquet").unlink()
    assert predict(output, pictures, shards=50, resume=True).earlier == 9
    with pytest.raises(RunError, match="shards: 50, now 10"):
        predict(output, pictures, shards=10, resume=True)


def test_names_that_are_no_utf_8_are_refused_and_any_other_is_not(tmp_path):
    record = JobRecord("", "", ())
    with pytest.raises(UsageError, match=r"a.xff\.png: a manifest cannot hold"):
        make_manifest([], record, [Source(Path("a\udcff.png"), Path("a"))], None)
    odd = Source(Path("s3://bucket/a\tb\u2028.png"), Path("a"), stored=StoredObject(1))
    make_manifest([], record, [odd], None).write(tmp_path / "m.parquet")
    assert Manifest.read(tmp_path / "m.parquet", "it").tasks[0].sources[0].path == odd.path


def test_another_job_is_refused_in_a_line_and_replaced_when_asked(pictures, tmp_path):
    output = tmp_path / "faces"
    with pytest.raises(UsageError, match="nothing to resume"):
        predict(output, pictures, resume=True)
    predict(output, pictures, shards=3)
    with pytest.raises(UsageError, match="has a job already: --resume continues it, --force starts over"):
        predict(output, pictures)
    with pytest.raises(RunError, match=r"begun differently \(raw: no, now yes; inputs: .*, now .*; shards: 3, now 4\)"):
        predict(output, pictures / "1.png", raw=True, resume=True, shards=4)
    predict(output, pictures / "1.png", force=True)
    assert len(list(output.iterdir())) == 2
    (output / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"holds other files \(notes\.txt\)"):
        predict(output, pictures, force=True)


def test_a_manifest_that_is_damaged_is_told(pictures, tmp_path):
    output = tmp_path / "faces"
    predict(output, pictures)
    (output / "_manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"faces/_manifest\.parquet is no manifest of fer predict, or damaged"):
        predict(output, pictures, resume=True)


def test_a_shard_is_there_whole_or_not_at_all(pictures, tmp_path, monkeypatch):
    output = tmp_path / "faces"

    def fail(self, file, name):
        raise RunError("no room")

    take = Target.take
    monkeypatch.setattr(
        Target, "take", lambda self, *args: (fail if args[1].startswith("shard-00002") else take)(self, *args)
    )
    with pytest.raises(RunError, match="no room"):
        predict(output, pictures, shards=3)
    assert sorted(file.name for file in output.iterdir()) == ["_manifest.parquet", "shard-00001-of-00003.parquet"]


def test_a_store_whose_package_is_missing_says_what_to_install(pictures, monkeypatch):
    def missing(address):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(UsageError, match=r"s3://bucket/out/ needs .*Install s3fs.*pip install fsspec s3fs"):
        predict("s3://bucket/out", pictures)


def test_without_pyarrow_one_line_says_what_to_install(pictures, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MachineError, match=r"--output .*faces/ needs pyarrow: pip install pyarrow;"):
        predict(tmp_path / "faces", pictures)
    assert not (tmp_path / "faces").exists()


def test_a_folder_that_machines_do_not_see_is_told(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(Target, "take", lambda self, file, name: None)
    with pytest.raises(RunError, match=r"lacks shard-00001-of-00001\.parquet: all machines must see this folder"):
        predict(tmp_path / "faces", pictures)


@pytest.fixture
def memory(png, tar_of):
    store = fsspec.filesystem("memory")
    for number in range(6):
        store.pipe_file(f"/bucket/faces/{number}.png", png(number))
    store.pipe_file("/bucket/faces/more.tar.gz", tar_of({f"in/{number}.png": png(number) for number in (6, 7)}, "w:gz"))
    store.pipe_file("/bucket/faces/torn.tar", tar_of({"a.png": png(8), "b.png": png(9)})[:-8000])
    yield store
    store.rm("/bucket", recursive=True)


def test_a_store_gives_pictures_and_archives_and_takes_the_files(memory, tmp_path, png, monkeypatch):
    read = type(memory).cat_file

    def cat_file(self, path, **kwargs):
        if path.endswith("/3.png"):
            raise PermissionError("arn:secret")
        return read(self, path, **kwargs)

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    output = "memory://bucket/out"
    summary = predict(output, Path("memory://bucket/faces"), shards=3)
    monkeypatch.undo()
    names = [name.rpartition("/")[2] for name in memory.find("/bucket/out")]
    assert names == ["_manifest.parquet", *(f"shard-{number:05}-of-00003.parquet" for number in (1, 2, 3))]
    for name in names[1:]:
        memory.get_file(f"/bucket/out/{name}", str(tmp_path / name))
    rows = [row for name in names[1:] for row in parquet.read_table(tmp_path / name).to_pylist()]
    assert [row["source"] for row in rows][:9] == [
        *(f"memory://bucket/faces/{number}.png" for number in range(6)),
        *(f"memory://bucket/faces/more.tar.gz/in/{number}.png" for number in (6, 7)),
        "memory://bucket/faces/torn.tar/a.png",
    ]
    assert rows[3]["message"] == "access denied"
    assert "archive" in rows[-1]["message"]
    assert summary.counted.failed == len([row for row in rows if row["status"] == "failed"])
    assert predict(output, Path("memory://bucket/faces"), resume=True).earlier == 3


def test_an_archive_that_is_gone_is_a_row(memory, tmp_path):
    output = tmp_path / "faces"
    predict(output, Path("memory://bucket/faces"), shards=50)
    shards = sorted(output.glob("shard-*"))
    memory.rm("/bucket/faces/torn.tar")
    shards[-1].unlink()
    summary = predict(output, Path("memory://bucket/faces"), resume=True)
    (row,) = parquet.read_table(shards[-1]).to_pylist()
    assert (row["source"], row["message"]) == ("memory://bucket/faces/torn.tar", "no such object")
    assert summary.counted.failed == 1


def test_a_model_in_a_file_travels_with_the_job(pictures, tmp_path, whole):
    model = tmp_path / "mine.safetensors"
    model.write_bytes(weights_path(None).read_bytes())
    options = PredictOptions(model=f"{model}+xu-rescnn", **USUAL)
    rows = whole(pictures, model=options.model)
    work = Work(
        str(tmp_path / "faces"), str(tmp_path), options, JobRecord.of(options.model, {}), read_model(options.model)
    )
    model.unlink()
    task = ShardTask(1, 1, tuple(Source(path, Path(path.name)) for path in sorted(pictures.iterdir())))
    ShardWorker(work, tmp_path, SILENT).run(task)
    assert parquet.read_table(tmp_path / "faces" / task.name).to_pylist() == rows
    assert read_model("xu-rescnn")[0].content is None  # every machine has it


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"shards": 0}, "--shards 0: 1 or more"),
        ({"jobs": -1}, "--jobs -1: 1 or more"),
        ({"cpus_per_task": 2.0}, "--cpus-per-task 2 is for --ray"),
        ({"ray": "auto", "gpus_per_task": -1.0}, "--gpus-per-task -1: 0 or more"),
        ({"resume": True, "force": True}, "leave one out"),
    ],
)
def test_options_that_make_no_sense_are_told(options, told):
    with pytest.raises(UsageError, match=told):
        FolderOptions(**options)


def test_what_is_a_folder(tmp_path):
    assert is_folder("faces/")
    assert is_folder("s3://bucket/faces")
    assert is_folder(str(tmp_path))
    assert not is_folder("faces.csv")
    assert FolderOptions(ray="auto", cpus_per_task=2).cluster == RayCluster("auto", 2, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("a.png -o faces/ --format csv", "leave --format and --json out"),
        ("a.png -o a.csv --jobs 1", "--jobs is for a folder as the output"),
        ("a.png -o a.csv --jobs 2", "--jobs is for a folder as the output, as in --output faces/"),
        ("a.png -o faces2", "faces2 does not end in .csv, .jsonl, .json, .parquet; a folder of Parquet files is typed"),
        ("a.png --ray auto", "--ray is for a folder as the output"),
        ("a.png -o s3://bucket/a.csv", "a store takes a folder of Parquet files"),
        ("a.png -o faces/ --annotate out", "--annotate cannot be used with a folder as --output, faces/"),
        ("a.png -o faces/ --shard 1/2", "which --shards N cuts: leave --shard 1/2 out"),
    ],
)
def test_flags_that_do_not_go_together_are_told(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["predict", *words.split()])
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)
    assert not list(tmp_path.iterdir())

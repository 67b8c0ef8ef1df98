"""Jobs from a bucket into a bucket, on an S3 server and a Ray cluster of this machine."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fercli.workflows.predict.folder_job.options import FolderOptions
from fercli.workflows.predict.folder_job.run import run_folder_job
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.run import run_job

parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
pytest.importorskip("fsspec", reason="needs the extra remote")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of the server's libraries

USUAL = {"faces_are_cropped": True, "device": "cpu"}


def rows_in(store, prefix: str, folder: Path) -> list[dict[str, object]]:
    """The rows of all shards of a bucket's folder, in their order."""
    rows = []
    store.invalidate_cache()
    for name in store.find(prefix):
        if "shard-" in name:
            store.get_file(name, str(folder / "shard.parquet"))
            rows += parquet.read_table(folder / "shard.parquet").to_pylist()
    return rows


def start(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fercli", "predict", *words, "--faces-are-cropped", "--device", "cpu"]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def wait_until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def count_shards(store, prefix: str) -> int:
    store.invalidate_cache()
    return sum("shard-" in name for name in store.find(prefix))


def children_of(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_bucket_of_pictures_whatever_happens_to_it_and_to_the_workers(bucket, png, tar_of, tmp_path):
    count = 2000
    names = [f"{number:04}{'-denied' if number == 7 else ''}.png" for number in range(count)]
    bucket.pipe({f"bucket/faces/{name}": png(number) for number, name in enumerate(names)})
    bucket.pipe("bucket/faces/more.tar", tar_of({f"{number}.png": png(number) for number in range(40)}))
    denied, gone = "bucket/faces/0007-denied.png", "bucket/faces/1999.png"

    job = start("s3://bucket/faces", "-o", "s3://bucket/out/", "--shards", "8", "--jobs", "2")
    wait_until(lambda: bucket.exists("bucket/out/_manifest.parquet"))
    bucket.rm(gone)
    wait_until(lambda: count_shards(bucket, "bucket/out") >= 1)
    os.kill(_workers(job.pid)[0], signal.SIGKILL)
    told = job.communicate(timeout=120)[1].decode()
    assert job.returncode == 1, told  # two pictures failed
    assert "trying once more" in told
    assert "8 of 8 shards" in told
    assert "hidden-secret" not in told

    whole = tmp_path / "whole.parquet"
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"s3://bucket/faces/{name}\n" for name in names))
    run_job([], PredictOptions(output=whole, from_file=listed, **USUAL))
    rows, expected = rows_in(bucket, "bucket/out", tmp_path), parquet.read_table(whole).to_pylist()
    assert rows[:count] == expected
    failed = {row["source"]: row["message"] for row in rows if row["status"] == "failed"}
    assert failed == {f"s3://{denied}": "access denied", f"s3://{gone}": "no such object"}
    unpacked = rows[count:]
    assert [row["source"] for row in unpacked] == [f"s3://bucket/faces/more.tar/{number}.png" for number in range(40)]
    assert {**unpacked[3], "source": ""} == {**expected[3], "source": ""}
    for name in bucket.find("bucket/out"):
        assert b"hidden-secret" not in bucket.cat_file(name)


def _workers(process: int) -> list[int]:
    """The processes that a job started to work in, without the one that watches over shared memory."""
    names = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children_of(process)}
    return [child for child, name in names.items() if b"spawn_main" in name]


@pytest.fixture
def cluster(bucket, start_cluster):
    """Its nodes know the bucket's server as this process does."""
    cluster = start_cluster()
    yield cluster
    cluster.shutdown()


def test_a_cluster_works_from_bucket_to_bucket_though_a_node_and_then_the_head_is_lost(
    cluster, node_remover, bucket, png, tmp_path
):
    count = 120
    bucket.pipe({f"bucket/faces/{number:04}.png": png(number) for number in range(count)})
    whole = tmp_path / "whole.parquet"
    run_job([Path("s3://bucket/faces")], PredictOptions(output=whole, **USUAL))
    expected = parquet.read_table(whole).to_pylist()

    progress, on_cluster = node_remover(cluster), FolderOptions(shards=4, ray=cluster.address)
    run_folder_job([Path("s3://bucket/faces")], "s3://bucket/one/", PredictOptions(**USUAL), on_cluster, progress)
    assert progress.removed
    assert rows_in(bucket, "bucket/one", tmp_path) == expected

    words = ("s3://bucket/faces", "-o", "s3://bucket/two/")
    job = start(*words, "--shards", "12", "--ray", cluster.address)
    wait_until(lambda: count_shards(bucket, "bucket/two") >= 1, 90)
    lost = threading.Thread(target=cluster.shutdown)
    lost.start()
    job.communicate(timeout=120)  # Ray ends it without a word
    lost.join()
    assert job.returncode != 0
    assert 0 < count_shards(bucket, "bucket/two") < 12
    assert start(*words, "--resume").wait(timeout=60) == 0
    assert rows_in(bucket, "bucket/two", tmp_path) == expected

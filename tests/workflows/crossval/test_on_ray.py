"""Folds on a real Ray cluster of this machine: a head without processors, and two nodes with one each."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fercli.core.errors import MachineError, UsageError
from fercli.core.progress import SILENT, Progress
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.runner.on_ray import RayCluster
from fercli.workflows.crossval.aggregate import CrossvalResult
from fercli.workflows.crossval.crossval_folder import choose_folder
from fercli.workflows.crossval.placement import Placement
from fercli.workflows.crossval.run import run_crossval

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(start_cluster) -> Iterator[Any]:
    cluster = start_cluster()
    yield cluster
    cluster.shutdown()


@pytest.fixture
def run_on_cluster(cluster, config, tmp_path):
    def go(name: str, progress: Progress = SILENT, **options: object) -> CrossvalResult:
        chosen = config(**options)
        placement = Placement(cluster=RayCluster(cluster.address))
        return run_crossval(chosen, choose_folder(chosen, tmp_path / name, force=False), placement, progress)

    return go


@pytest.mark.parametrize(
    "options",
    [
        {"runs": 2, "baselines": ("majority",)},
        {"select": True, "select_by": "mean", "grid": {"optimizer.lr": [1e-3, 2e-3]}},
    ],
)
def test_a_cluster_gives_the_same_bytes(run, run_on_cluster, made, options):
    here, there = run("here", **options), run_on_cluster("there", **options)
    assert {**here.to_dict(), "folder": ""} == {**there.to_dict(), "folder": ""}
    assert made(here.folder) == made(there.folder)


def test_a_lost_node_costs_the_folds_that_it_had(run, run_on_cluster, made, cluster, node_remover):
    progress = node_remover(cluster)
    here, there = run("here", epochs=20), run_on_cluster("there", progress, epochs=20)
    cluster.add_node(num_cpus=1)
    assert progress.removed
    assert made(here.folder) == made(there.folder)


def test_a_killed_job_continues_from_its_files(cluster, tmp_path):
    write_faces(tmp_path / "faces.safetensors", cartoon(6, 1))
    words = "crossval -m lenet --data faces.safetensors --recipe quick --epochs 20 --folds 3 --group image --threads 1"
    command = [sys.executable, "-m", "fercli", *words.split(), "--device", "cpu"]

    def start(*more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, *more], cwd=tmp_path, stdout=subprocess.DEVNULL)

    on_cluster = ("--out", "cv", "--ray", cluster.address)
    job, end = start(*on_cluster), time.monotonic() + 120
    while not (finished := list(tmp_path.rglob("metrics.json"))) and time.monotonic() < end:
        time.sleep(0.1)
    job.kill()
    job.wait()
    written = {file: file.stat().st_mtime_ns for file in finished}
    assert written
    assert start(*on_cluster).wait() == 0
    assert all(file.stat().st_mtime_ns == before for file, before in written.items())
    assert start("--out", "plain").wait() == 0
    for name in ("accuracy.csv", "results.md"):
        assert (tmp_path / "cv" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_a_cluster_that_is_not_there_is_one_line(config, tmp_path):
    pytest.importorskip("ray", reason="needs Ray")
    chosen = config()
    with pytest.raises(MachineError, match=r"--ray 127\.0\.0\.1:1: no cluster can be reached"):
        run_crossval(
            chosen,
            choose_folder(chosen, tmp_path / "cv", force=False),
            Placement(cluster=RayCluster("127.0.0.1:1")),
        )


def test_without_ray_the_message_names_the_extra(config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    chosen = config()
    with pytest.raises(UsageError, match=r"pip install ray$"):
        run_crossval(chosen, choose_folder(chosen, tmp_path / "cv", force=False), Placement(cluster=RayCluster("auto")))

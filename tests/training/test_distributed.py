"""Several processes that train one network: real ones, started by torchrun, on gloo."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from fercli.core.errors import UsageError
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import write_faces
from fercli.training.distributed import Ranks, SynchronisedNorm, joined_ranks, synchronise_norms
from fercli.workflows.run_folder import RunFolder

#: A step has to be the same in two processes, so nothing is drawn by each process for itself. Plain SGD: Adam makes
#: much of the rounding of small gradients.
SETTINGS = (
    "--model", "xu-rescnn", "--recipe", "paper", "--compile", "off", "--device", "cpu", "--lr", "0.01",
    "--set", "optimizer.name=sgd",
)  # fmt: skip


@pytest.fixture
def alone(tmp_path, monkeypatch) -> Iterator[None]:
    """A group of one process: this one."""
    monkeypatch.setenv("RANK", "0")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("shape", [(8, 5, 6, 6), (8, 5)])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_synchronised_norm_of_one_process_is_batch_norm(alone, shape, momentum):
    torch.manual_seed(0)
    plain = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(5, momentum=momentum)
    nn.init.normal_(plain.weight)
    network = nn.Sequential(type(plain)(5, momentum=momentum))
    network[0].load_state_dict(plain.state_dict())
    names = list(network.state_dict())
    synchronise_norms(network)
    assert isinstance(network[0], SynchronisedNorm)
    assert list(network.state_dict()) == names
    for _ in range(2):
        inputs = [torch.randn(shape, requires_grad=True)]
        inputs.append(inputs[0].detach().clone().requires_grad_())
        for norm, values in zip((plain, network[0]), inputs, strict=True):
            (norm(values) ** 3).sum().backward()
        torch.testing.assert_close(inputs[0].grad, inputs[1].grad, atol=1e-4, rtol=1e-4)
    for wanted, found in zip(plain.state_dict().values(), network.state_dict().values(), strict=True):
        torch.testing.assert_close(wanted, found)
    torch.testing.assert_close(plain.weight.grad, network[0].weight.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(plain.eval()(inputs[0]), network.eval()(inputs[0]))


@pytest.mark.parametrize("count", [0, 1, 7, 64])
def test_shares_are_all_there_is_and_nothing_twice(count):
    faces = list(range(count))
    assert [face for rank in range(4) for face in faces[Ranks(rank, 4).own_slice(count)]] == faces


def test_a_process_that_torchrun_did_not_start_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_ranks() as ranks:
        assert (ranks.rank, ranks.size, ranks.is_first) == (0, 1, True)


def test_batches_that_cannot_be_shared_are_refused():
    from fercli.workflows.train.job import _check_shares
    from fercli.workflows.train.options import TrainOptions
    from fercli.workflows.train.settings import resolve_config

    config = resolve_config(TrainOptions(model="lenet", data="cartoon", batch_size=50))
    with pytest.raises(UsageError, match=r"4 processes .* batches of 50 .* --batch-size 48 or 52"):
        _check_shares(config, Ranks(0, 4))


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    """Noise, of which every third face validates, as a file: the classes are told apart by their brightness."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 3
    images = torch.randint(0, 60, (120, 1, 48, 48), generator=draws) + 90 * labels.view(-1, 1, 1, 1)
    images = images.clamp(0, 255).to(torch.uint8)
    path = tmp_path_factory.mktemp("set") / "faces.safetensors"
    write_faces(
        path,
        FaceSet(
            name="noise",
            images=images.numpy(),
            labels=labels.numpy(),
            classes=("dark", "grey", "bright"),
            ids=tuple(map(str, range(120))),
        ),
    )
    return path


class Training:
    """`fer train` in so many processes."""

    def __init__(self, out: Path, processes: int, *words: object) -> None:
        launch = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
        self.folder = RunFolder(out)
        self.process = subprocess.Popen(
            [sys.executable, *launch, "-m", "fercli", "train", "--out", str(out), *map(str, words)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def end(self) -> str:
        """What it said. Fails where its exit code is not 0."""
        told = self.process.communicate(timeout=120)[0]
        assert self.process.returncode == 0, told
        return told

    def wait_for_epochs(self, count: int) -> None:
        """Until so many are in the history."""
        deadline = time.monotonic() + 120
        while self.epochs < count:
            assert time.monotonic() < deadline
            assert self.process.poll() is None
            time.sleep(0.05)

    @property
    def epochs(self) -> int:
        """Those in the history."""
        history = self.folder.history
        return len(history.read_text().splitlines()) - 1 if history.is_file() else 0

    def find(self, rank: int) -> int:
        """The id of the process of this rank."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in map(int, children):
            if f"\0RANK={rank}\0".encode() in Path(f"/proc/{child}/environ").read_bytes():
                return child
        raise AssertionError(f"no process of rank {rank}")

    def stop(self, number: signal.Signals, rank: int | None = None) -> str:
        """Send a signal to a process, or as Ctrl-C does to all, and say what was said to the end, which comes soon and
        with an exit code that is not 0."""
        if rank is None:
            os.killpg(self.process.pid, number)
        else:
            os.kill(self.find(rank), number)
        told = self.process.communicate(timeout=60)[0]  # soon on a busy machine, too
        assert self.process.returncode != 0, told
        return told


def figures(run: Training) -> list[list[float]]:
    """The history without its times."""
    rows = run.folder.history.read_text().splitlines()[1:]
    return [[float(value) for value in row.split(",")[:-1]] for row in rows]


@pytest.mark.slow
def test_a_step_of_two_processes_is_that_of_one(faces, tmp_path):
    words = ("--data", faces, "--epochs", 1, "--batch-size", 64, *SETTINGS)  # an epoch of one step
    one, two = Training(tmp_path / "one", 1, *words), Training(tmp_path / "two", 2, *words)
    one.end()
    told = two.end()
    assert len(re.findall("^epoch", told, re.MULTILINE)) == 1  # one of them speaks
    torch.testing.assert_close(torch.tensor(figures(two)), torch.tensor(figures(one)), rtol=1e-4, atol=1e-5)
    weights = [torch.load(run.folder.checkpoint, weights_only=True)["network"] for run in (one, two)]
    different = {
        name: float((weights[1][name] - wanted).abs().max() / wanted.abs().max().clamp(min=1e-2))
        for name, wanted in weights[0].items()
    }
    assert max(different.values()) < 5e-3, different


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")
def test_a_training_that_loses_a_process_is_resumed_by_one_and_then_by_two(faces, tmp_path):
    words = ("--data", faces, "--epochs", 400, *SETTINGS)
    two = Training(tmp_path / "run", 2, *words)
    two.wait_for_epochs(2)
    assert "torchrun command with --resume" in two.stop(signal.SIGKILL, rank=1)
    torch.load(two.folder.checkpoint, weights_only=True)

    before = figures(two)
    one = Training(tmp_path / "run", 1, "--resume")
    one.wait_for_epochs(len(before) + 2)
    assert "--resume" in one.stop(signal.SIGINT)

    again = Training(tmp_path / "run", 2, "--resume")
    again.wait_for_epochs(one.epochs + 2)
    assert "--resume" in again.stop(signal.SIGINT)  # Ctrl-C on two: it says how to go on, and ends

    whole = Training(tmp_path / "whole", 1, *words)
    whole.wait_for_epochs(len(before) + 4)
    whole.stop(signal.SIGINT)
    rows = torch.tensor(figures(whole)[: len(before) + 4])
    torch.testing.assert_close(torch.tensor(figures(again)[: len(rows)]), rows, rtol=0.02, atol=0.02)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")
def test_without_the_first_process_the_others_end(faces, tmp_path):
    run = Training(tmp_path / "run", 2, "--data", faces, "--epochs", 400, *SETTINGS)
    run.wait_for_epochs(1)
    run.stop(signal.SIGKILL, rank=0)
    torch.load(run.folder.checkpoint, weights_only=True)

"""A lock keeps other processes out, tells who holds it, and leaves nothing behind."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fercli.core import lock
from fercli.core.errors import RunError, UsageError
from fercli.core.lock import hold_lock, lock_path

HOLD = """
import sys, time
from pathlib import Path
from fercli.core.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of faces.csv."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "faces.csv"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_the_second_process_is_refused_and_told_who_holds_it(tmp_path, holder):
    told = f"process {holder.pid} on {socket.gethostname()}"
    with pytest.raises(UsageError, match=told), hold_lock(tmp_path / "faces.csv"):
        pass


def test_who_waits_longer_than_a_moment_says_for_whom(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(lock, "_UNNOTICED", 0.05)
    told = []

    def hear(text):
        told.append(text)
        holder.kill()

    with hold_lock(tmp_path / "faces.csv", 30, hear):
        pass
    assert told == [
        f"waiting until process {holder.pid} on {socket.gethostname()} has written {tmp_path / 'faces.csv'}"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_process_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with hold_lock(tmp_path / "faces.csv"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a folder in which nobody can write")
def test_where_no_lock_can_be_made_it_is_said_what_the_system_said():
    with (
        pytest.raises(RunError, match=r"cannot write /proc/faces\.csv: No such file"),
        hold_lock(Path("/proc/faces.csv")),
    ):
        pass


def test_nothing_is_left_behind_but_what_was_written(tmp_path):
    with hold_lock(tmp_path / "a/b/faces.csv"):
        assert lock_path(tmp_path / "a/b/faces.csv").is_file()
    assert not list(tmp_path.iterdir())
    with hold_lock(tmp_path / "a/faces.csv"):
        (tmp_path / "a/faces.csv").touch()
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["faces.csv"]


def test_a_lock_that_is_held_here_is_not_given_again(tmp_path):
    again = hold_lock(tmp_path / "run")
    with hold_lock(tmp_path / "run"), pytest.raises(UsageError, match="is being written by"), again:
        pass


def test_the_same_file_by_another_path_has_the_same_lock(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert lock_path(Path("../run")) == lock_path(tmp_path / "run")


def test_a_holder_without_a_readable_record_is_another_process(tmp_path, holder):
    lock_path(tmp_path / "faces.csv").write_bytes(b"\0[")
    with pytest.raises(UsageError, match="written by another process"), hold_lock(tmp_path / "faces.csv"):
        pass


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot write"), hold_lock(tmp_path / "faces.csv"):
        pass


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"), hold_lock(tmp_path / "file/faces.csv"):
        pass


def _count(path: Path, times: int) -> None:
    """Add one to the number in a file, so often, each time under the lock."""
    for _ in range(times):
        while True:
            try:
                with hold_lock(path):
                    path.write_text(str(int(path.read_text()) + 1))
                break
            except UsageError:
                time.sleep(0.001)


def test_processes_that_race_for_a_lock_lose_no_write(tmp_path):
    file = tmp_path / "count"
    file.write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(file, 50)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert file.read_text() == "200"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]

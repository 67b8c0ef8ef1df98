"""Signals at moments in which Python or Typer, not a command, is at work: no traceback, and the right exit code."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_after_the_work_is_done_brings_no_traceback(name):
    script = f"""
import atexit, os, signal, sys
atexit.register(lambda: os.kill(os.getpid(), signal.{name}))
sys.argv = ["fer", "--version"]
from fercli.cli.app import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == -signal.Signals[name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("ctrl_c", ["SIG_DFL", "SIG_IGN"])  # ignored where a script runs a job in the background
def test_a_signal_in_a_destructor_ends_the_command_all_the_same(ctrl_c):
    script = f"import signal; signal.signal(signal.SIGINT, signal.{ctrl_c})"
    script += """
import os, signal, time
from fercli.cli import app

class Dies:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.001)

def work(**_):
    try:
        Dies()
        for _ in range(500):
            time.sleep(0.01)
    except KeyboardInterrupt:
        return 130
    return 0

app.app = work
app.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_before_the_command_is_built_ends_it_without_a_traceback(name, code):
    script = f"""
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from fercli.cli import app

def build(**_):
    os.kill(os.getpid(), signal.{name})
    time.sleep(5)

app.app = build
app.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")

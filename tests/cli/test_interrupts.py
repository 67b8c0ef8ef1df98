"""Ctrl-C in commands that write nothing until their end: a line that says so, exit code 130, and no file."""

import pytest

from fercli.workflows.evaluate import run as evaluating
from fercli.workflows.export import hub
from fercli.workflows.export import run as exporting


def interrupt(*_arguments, **_options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("words", "where", "told"),
    [
        (("eval", "--data", "cartoon", "--out", "figures"), (evaluating, "measure"), "before anything was written"),
        (("export", "--model", "xu-rescnn", "-o", "xu.onnx"), (exporting, "_made"), "no file is half-written"),
        (("export", "--model", "xu-rescnn", "--to-hub-folder", "xu"), (hub, "write_card"), "no file is half-written"),
    ],
)
def test_ctrl_c_says_what_is_left(fer, tmp_path, monkeypatch, words, where, told):
    monkeypatch.setattr(*where, interrupt)
    code, out, err = fer(*words)
    assert (code, out) == (130, "")
    assert err.splitlines()[-1].endswith(told)
    assert list(tmp_path.iterdir()) == []

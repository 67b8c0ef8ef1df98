import importlib.util
from pathlib import Path

import pytest


def test_a_portrait_is_explained(fer, tmp_path):
    code, _, err = fer("predict", "--demo", "--explain", "why", "--device", "cpu")
    assert code == 0, err
    assert err.splitlines()[-1] == "explanations in why"
    assert [path.name for path in (tmp_path / "why").iterdir()] == ["grace_hopper.jpg-face1.png"]
    code, _, err = fer("predict", "--demo", "--explain", "why")
    assert code == 2
    assert "--force" in err


def refusal(fer, *words):
    """The one line of an error before which nothing was done."""
    code, out, err = fer("predict", "--demo", "--explain", "why", *words)
    assert code == 2
    assert out == ""
    (line,) = err.splitlines()
    assert not Path("why").exists()
    return line


def test_without_captum_nothing_is_done(fer, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "captum" else found(name, *a))
    assert "pip install captum" in refusal(fer)


@pytest.mark.slow
def test_an_exported_network_is_not_explained(fer):
    code, _, err = fer("export", "--model", "xu-rescnn", "--output", "net.onnx", "--quiet")
    assert code == 0, err
    assert "exported to ONNX" in refusal(fer, "--model", "net.onnx")
    assert "exported to ONNX" in refusal(fer, "--model", "net.onnx+xu-rescnn")

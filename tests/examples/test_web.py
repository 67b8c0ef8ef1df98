"""The page in examples/web: it asks nobody but its own server, and takes what it knows of the network from the file.

Whether it computes what `fer` does is measured in a browser: `python -m benchmarks.deployed_web`.
"""

import re
from pathlib import Path

import pytest

from fercli.core.labels import EXPRESSIONS

WEB = Path(__file__).parents[2] / "examples" / "web"
PAGE, APP, PIXELS, STYLE = (
    (WEB / name).read_text(encoding="utf-8") for name in ("index.html", "app.js", "pixels.js", "style.css")
)
README = (WEB / "README.md").read_text(encoding="utf-8")


def test_the_page_names_only_files_of_its_own():
    named = re.findall(r"""(?:src|href)="([^"]*)"|url\(([^)]*)\)|from "([^"]*)"|fetch\(([^)]*)\)""", PAGE + APP + STYLE)
    found = {next(filter(None, names)) for names in named}
    assert found == {"data:,", "style.css", "app.js", "./ort/ort.wasm.min.mjs", "./pixels.js", "MODEL"}
    assert 'const MODEL = "model.onnx"' in APP
    assert not re.search(r"\w+://", PAGE + APP + PIXELS + STYLE)


def test_the_browser_is_told_to_ask_nobody_else():
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', PAGE)
    sources = {name: rest for name, *rest in (part.split() for part in policy.split("; "))}
    assert sources["default-src"] == ["'none'"]
    assert set().union(*sources.values()) == {"'none'", "'self'", "'wasm-unsafe-eval'", "blob:", "data:"}
    assert sources["connect-src"] == sources["style-src"] == ["'self'"]


@pytest.mark.parametrize("text", [PAGE, APP, PIXELS], ids=["index.html", "app.js", "pixels.js"])
def test_no_class_temperature_or_normalisation_is_written_down(text):
    assert not [name for name in EXPRESSIONS if re.search(rf"\b{name}\b", text)]
    assert "255" not in re.sub(r"\[value, value, value, 255\]|0 to 255|Math\.min\(255, ", "", text)
    assert "exp(" not in text


def test_the_names_that_the_page_reads_are_those_that_an_export_writes(tmp_path):
    onnx = pytest.importorskip("onnx")
    from fercli.models.export.graph import metadata
    from fercli.models.load import load_model

    about = metadata(load_model("xu-rescnn"), "uint8")
    assert {"classes", "fercli", "model"} <= about.keys()
    assert all(f"metadata.{name}" in APP for name in ("classes", "fercli", "model"))
    # the number of the field in an ONNX file, by which the page finds them
    assert onnx.ModelProto.DESCRIPTOR.fields_by_name["metadata_props"].number == 14
    assert "field !== 14" in APP


def test_every_element_that_the_code_asks_for_is_there():
    asked = set(re.findall(r'element\("(\w+)"\)', APP))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', PAGE))


def test_the_steps_name_the_files_that_the_page_loads():
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        assert f"dist/{name} ort/" in README
    assert "npm install onnxruntime-web" in README
    assert "--output model.onnx" in README

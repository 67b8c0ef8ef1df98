"""Settings, records, tables and predictions with faults that were found by the campaign."""

import json
import os

import numpy as np
import pytest
import yaml

from fercli.core.config import LoadOptions
from fercli.core.files import damage_in, read_json, read_yaml
from fercli.data.faceset import FaceSet
from fercli.data.loaders import face_file
from fercli.data.loaders.csv_file import read_csv
from fercli.data.subjects import add_subjects
from fercli.faces.io.sources import read_list
from fercli.metrics.predictions import read_predictions as read_run_predictions
from fercli.models.catalogue import load_catalogue
from fercli.models.catalogue_file import catalogue_path
from fercli.workflows.predict.output.readers import read_predictions
from fercli.workflows.predict.output.resume import JobRecord
from fercli.workflows.run_folder import read_config

LONG, RED = "9" * 5000, "\x1b[31mred"
FACES = FaceSet("small", np.zeros((2, 1, 48, 48), np.uint8), np.array([0, 1]), ("a", "b"), ("x.png", "y.png"))
HEADER = "source,frame,time,face,track,x1,y1,x2,y2,label,confidence,angry,happy,status,message\n"
ROW = "a.png,,,1,,0.0,0.0,4.0,4.0,happy,0.75,0.25,0.75,ok,\n"


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        "[" * 100_000,
        "2024-13-45",
        "a: *b",
        f"a: {RED}",
        "&a [*a]",
        "\x00",
        "!!python/name:os.system x",
        '"\\e[31mred": 1\n"\\e[31mred": 2',
    ],
)
def test_yaml_that_is_damaged(tmp_path, refused, text):
    (tmp_path / "config.yaml").write_text(text)
    with refused("config.yaml"):
        read_config(tmp_path / "config.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", LONG.encode(), b"[" * 100_000, b'{"a":' * 9000, b"{", b"nul"])
def test_json_that_is_damaged(tmp_path, refused, content):
    (tmp_path / "meta.json").write_bytes(content)
    with refused("is damaged"):
        read_json(tmp_path / "meta.json")


@pytest.mark.parametrize("kind", ["pipe", "zero", "folder", "large"])
def test_what_has_no_end_or_is_no_file(tmp_path, refused, kind):
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(9 << 30)
    told = {"folder": "it is a folder", "large": "it has more than"}.get(kind, "it is not a regular file")
    for read in (read_json, read_list, read_config, load_catalogue, lambda path: read_yaml(path, "the settings")):
        with refused(told):
            read(path)
    with refused(told):
        add_subjects(FACES, LoadOptions(subjects=str(path)))


def test_many_faults_of_settings_fit_a_line(tmp_path, refused):
    (tmp_path / "config.yaml").write_text("\n".join(f"setting{number}: 1" for number in range(300)))
    with refused("more"):
        read_config(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({RED: 1, "x" * 5000: [LONG]}))
    with refused("unknown setting"):
        read_config(tmp_path / "config.yaml")


def test_every_fault_of_a_catalogue_is_a_line_of_its_own(tmp_path):
    document = read_yaml(catalogue_path(), "the catalogue")
    document["models"] |= {RED: {"x" * 5000: 1}, 3: {"recipes": {4: 5}, "architecture": LONG}}
    document["recipes"] |= {1: {}, "x": {"base": 9}}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(Exception, match="faults:") as error:
        load_catalogue(tmp_path / "models.yaml")
    lines = str(error.value).splitlines()
    assert len(lines) > 4
    assert all(len(line) < 400 and line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEADER + ROW.replace("0.25", LONG), "angry is '999"),
        (HEADER + ROW.replace("0.25", RED), "angry is"),
        (HEADER + ROW.replace(",1,", f",{'1' * 30},"), "face is"),
        (HEADER + ROW.replace("happy,0.75", "x" * 70_000 + ",0.75"), "label is"),
        (HEADER + "x" * 3_000_000, "more than 1 MB"),
        (HEADER + ROW.replace("ok", "\x00"), "status is"),
    ],
)
def test_rows_of_csv_that_are_damaged(tmp_path, refused, content, told):
    (tmp_path / "rows.csv").write_text(content)
    with refused(told):
        list(read_predictions(tmp_path / "rows.csv"))


@pytest.mark.parametrize("value", ["9" * 400, '"' + "x" * 9000 + '"', "[" * 500 + "]" * 500, "[" * 100_000, "true"])
def test_rows_of_json_that_are_damaged(tmp_path, refused, value):
    names, values = HEADER.strip().split(","), ROW.strip().split(",")
    row = dict(zip(names, [json.loads(v) if v[:1].isdigit() else v or None for v in values], strict=True))
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    assert len(list(read_predictions(tmp_path / "rows.jsonl"))) == 1
    text = json.dumps(row).replace("0.25", value)
    for name, content in (("rows.jsonl", f"{text}\n"), ("rows.json", f"[{text}]")):
        (tmp_path / name).write_text(content)
        with refused("rows.json"):
            list(read_predictions(tmp_path / name))


def test_a_parquet_file_damaged_in_its_pages(tmp_path, refused):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    names, values = HEADER.strip().split(","), ROW.strip().split(",")
    rows = [dict(zip(names, [*values[:3], 1, None, *values[4:]][: len(names)], strict=True))] * 500
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    content = bytearray((tmp_path / "rows.parquet").read_bytes())
    content[4:60] = b"\xff" * 56
    (tmp_path / "rows.parquet").write_bytes(content)
    with refused("is no Parquet file, or damaged"):
        list(read_predictions(tmp_path / "rows.parquet"))


@pytest.mark.parametrize(
    "changes", [{"weights": [["a"]]}, {"weights": 3}, {"model": 3}, {"settings": [1]}, {"whole": 1e999}, {"whole": "x"}]
)
def test_a_record_of_a_job_with_other_values(tmp_path, refused, changes):
    document = JobRecord("0.1.0", "lenet", ("1234",)).to_dict()
    with refused("is no record of a job"):
        JobRecord.parse({**document, **changes}, tmp_path / "rows.csv.job")


@pytest.mark.parametrize("error", [KeyError("x" * 900), TypeError("x"), ZeroDivisionError(), AttributeError(RED)])
def test_a_document_of_another_shape_is_damaged(tmp_path, refused, error):
    with refused("is damaged"), damage_in(tmp_path / "metrics.json"):
        raise error


@pytest.mark.parametrize(
    "content", [b"\x1b[31m,b\n1,2\n", b"x" * 70_000, b"file,subject\n" + b"\x00," * 50, b"\xff\xfe\xff", b""]
)
def test_a_table_of_subjects_that_is_damaged(tmp_path, refused, content):
    (tmp_path / "subjects.csv").write_bytes(content)
    with refused("subjects.csv"):
        add_subjects(FACES, LoadOptions(subjects=str(tmp_path / "subjects.csv")))


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(" * 5000, "a{99999999999}", "(?P<subject", "\x1b(", "x" * 900])
def test_a_subject_pattern_that_is_none(refused, pattern):
    with refused("--subject-pattern"):
        add_subjects(FACES, LoadOptions(subject_pattern=pattern))


@pytest.mark.parametrize(
    "changes", [{"notes": [[1]]}, {"ids": [["a"], ["b"]]}, {"classes": [1, 2]}, {"subjects": [3, 4]}, {"name": 3},
                {"parts": {"a": 1}}, {"shares": [1, "x"]}, {"classes": ["a", "b\x1b"]}],
)  # fmt: skip
def test_a_face_set_s_header_with_other_values(tmp_path, refused, monkeypatch, changes):
    """The checksum fits: someone has made it so."""
    dumps = json.dumps
    with monkeypatch.context() as patch:
        patch.setattr(face_file.json, "dumps", lambda document, **how: dumps(
            {**document, **changes} if "ids" in document else document, **how))  # fmt: skip
        patch.setattr(face_file, "_sort_header", lambda content: content)
        face_file.write_faces(tmp_path / "a.safetensors", FACES)
    with refused("holds no face set, or is damaged"):
        face_file.read_faces(tmp_path / "a.safetensors")


def test_a_header_nested_too_deeply(tmp_path, refused):
    from safetensors.numpy import save_file

    save_file({"images": FACES.images, "labels": FACES.labels}, tmp_path / "a.safetensors", {"faces": "[" * 100_000})
    with refused("holds no face set, or is damaged"):
        face_file.read_faces(tmp_path / "a.safetensors")


@pytest.mark.parametrize("row", [f"{LONG},{'0 ' * 2304},Training", f"0,{LONG} {'0 ' * 2303},Training"])
def test_a_label_or_pixel_of_thousands_of_digits(tmp_path, refused, row):
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{row}\n")
    with refused("row 1"):
        read_csv(tmp_path / "fer2013.csv")


@pytest.mark.parametrize("values", ["0.75,0.75", "-0.5,1.5", "nan,0.5", "1e308,1e308"])
def test_predictions_of_a_run_that_are_no_probabilities(tmp_path, refused, values):
    (tmp_path / "predictions.csv").write_text(f"id,label,predicted,a,b\nx,a,a,0.75,0.25\ny,a,a,{values}\n")
    with refused("the values of face 2 are no probabilities"):
        read_run_predictions(tmp_path / "predictions.csv")

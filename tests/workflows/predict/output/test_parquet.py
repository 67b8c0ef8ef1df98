import sys
from pathlib import Path

import pytest
from pyarrow import parquet as pq

from fercli.core.errors import DataError, MachineError
from fercli.faces.detection import Detection
from fercli.workflows.predict.output import parquet
from fercli.workflows.predict.output.parquet import need_pyarrow, read_origin, write_parquet
from fercli.workflows.predict.results import FacePrediction, PictureResult

CLASSES = ("angry", "happy")
FACE = FacePrediction(
    1, Detection((1.0, 2.0, 3.0, 4.0), ((5.0, 6.0),) * 5, 0.99), "happy", 0.8, {"angry": 0.2, "happy": 0.8}
)
RESULTS = [PictureResult(Path(f"{i}.png"), "ok", "", (FACE,)) for i in range(5)]


def test_columns_have_their_types(tmp_path):
    results = [*RESULTS, PictureResult(Path("film.mp4"), "no face", "no face found", frame=3, time=0.12)]
    write_parquet(tmp_path / "a.parquet", results, CLASSES, {})
    table = pq.read_table(tmp_path / "a.parquet")
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["source"] == kinds["label"] == kinds["status"] == kinds["message"] == "string"
    assert kinds["frame"] == kinds["face"] == kinds["track"] == "int64"
    assert kinds["time"] == kinds["x1"] == kinds["nose_y"] == kinds["confidence"] == kinds["happy"] == "double"
    assert table.column("face").to_pylist() == [1, 1, 1, 1, 1, None]
    assert table.column("frame").to_pylist()[-1] == 3


def test_rows_are_written_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    write_parquet(tmp_path / "a.parquet", RESULTS, CLASSES, {})
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 3


def test_the_origin_is_in_the_file(tmp_path):
    write_parquet(tmp_path / "a.parquet", [], CLASSES, {"model": "Gänse"})
    assert read_origin(tmp_path / "a.parquet") == {"model": "Gänse"}
    pq.write_table(pq.read_table(tmp_path / "a.parquet").replace_schema_metadata({}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="does not say"):
        read_origin(tmp_path / "b.parquet")


def test_a_file_is_whole_or_not_there(tmp_path):
    def broken():
        yield RESULTS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(tmp_path / "a.parquet", broken(), CLASSES, {})
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_the_error_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MachineError, match=r"a\.parquet needs pyarrow: pip install pyarrow;"):
        need_pyarrow(Path("a.parquet"))

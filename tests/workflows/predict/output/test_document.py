"""docs/output.md says what the code does."""

import re
from pathlib import Path

from fercli.core.labels import EXPRESSIONS
from fercli.workflows.predict.output import parquet
from fercli.workflows.predict.output.people import format_people
from fercli.workflows.predict.output.readers import read_predictions
from fercli.workflows.predict.output.schema import SCHEMA, columns
from fercli.workflows.predict.output.writers import format_csv

DOCUMENT = (Path(__file__).parents[4] / "docs" / "output.md").read_text(encoding="utf-8")


def test_every_column_is_in_the_table_with_its_type():
    told = {}
    for names, kind in re.findall(r"^\| (`\w+`.*?) \| (text|integer|number) \|", DOCUMENT, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"`(\w+)`", names), kind)
    kinds = {str: "text", int: "integer", float: "number"}
    assert list(told.items()) == [(name, kinds[kind]) for name, kind in columns(EXPRESSIONS).items()]


def test_the_example_is_what_is_written(tmp_path):
    (example,) = re.findall(r"```csv\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "faces.csv").write_bytes(example.encode())
    results = list(read_predictions(tmp_path / "faces.csv"))
    assert "".join(format_csv(results, EXPRESSIONS)) == example
    assert [result.status for result in results] == ["ok", "failed", "ok", "no face"]


def test_row_groups_are_as_large_as_it_says():
    assert f"row groups of {parquet.ROW_GROUP:,}" in DOCUMENT


def test_the_version_of_the_schema_is_as_it_says():
    assert f"version {SCHEMA} of the schema" in DOCUMENT


def test_every_column_of_the_table_of_people_is_there_in_its_order():
    section = re.search(r"^## The table of people\n(.*?)^## ", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert section
    told = re.findall(r"^\| `(\w+)`", section[1], re.MULTILINE)
    (head,) = format_people([], EXPRESSIONS)
    written = head.strip().split(",")
    assert told == [
        name for name in written if not re.match(r"[a-z]+_(?:fraction|longest|mean)", name) or "angry" in name
    ]

"""Mutators are pure, and what they aim at takes any text."""

import json
import zipfile
from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.faults import containers, mutate, page
from benchmarks.faults.campaign import Count
from benchmarks.faults.kinds import KINDS
from benchmarks.faults.worker import find_fault
from fercli.core.parse import parse_json, parse_number, parse_yaml

DOCUMENTS = {
    mutate.mutate_json: b'{"a": [1, {"b": null}], "c": "d"}',
    mutate.mutate_json_lines: b'{"a": 1}\n{"b": [2]}\n',
    mutate.mutate_yaml: b"a: [1, 2]\nb: {c: d}\n",
    mutate.mutate_csv: b"x,y\n1,2\n3,4\n",
}


@pytest.mark.parametrize("mutator", [*mutate.BYTES, mutate.mutate_bytes, mutate.mutate_text])
@given(content=st.binary(max_size=300), seed=st.integers(0, 1000))
def test_any_content_is_mutated_the_same_way_again(mutator, content, seed):
    assert mutator(content, Random(seed)) == mutator(content, Random(seed))


@pytest.mark.parametrize("mutator", DOCUMENTS)
def test_documents_become_others(mutator):
    content = DOCUMENTS[mutator]
    made = set()
    for seed in range(60):
        try:
            made.add(mutator(content, Random(seed)))
        except (ValueError, RecursionError):
            continue  # the libraries cannot write every odd value
    assert len(made) > 20


def test_a_zip_s_members_change_with_their_checksums():
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", b"content")
    opened = 0
    for seed in range(30):
        try:
            with zipfile.ZipFile(BytesIO(containers.mutate_zip(packed.getvalue(), Random(seed)))) as archive:
                opened += archive.testzip() is None
        except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError):
            continue
    assert opened > 5


@given(st.text() | st.binary())
def test_json_is_read_or_a_line_says_why(text):
    read(parse_json, text)


@given(st.text())
def test_yaml_is_read_or_a_line_says_why(text):
    read(parse_yaml, text)


@given(st.text() | st.from_regex(r"[-+0-9._eE]{1,30}"), st.sampled_from((int, float)))
def test_numbers_are_read_or_a_line_says_why(text, kind):
    read(lambda number: parse_number(number, kind), text)


def read(parse, text):
    told = ""
    try:
        parse(text)
    except ValueError as error:
        told = str(error)
    assert not told or find_fault(told) is None


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "[" * 100_000, '{"a":' * 5000, "2024-13-45", "!!timestamp x", "!!int x", "!!python/name:os.system x",
     "{[1]: 2}", "\x00"],
)  # fmt: skip
def test_what_libraries_answer_with_other_errors_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".") as error:
        parse_yaml(text)
    assert find_fault(str(error.value)) is None


def test_aliases_that_stand_for_billions_are_refused():
    doubled = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))
    for text in (f"a0: &a0 [x]\n{doubled}", "&a [*a]"):
        with pytest.raises(ValueError, match="aliases"):
            parse_yaml(text)


@pytest.mark.parametrize("text", ["9" * 30, "1_0", "٣", "", "nan1", "0x1F"])
def test_odd_numbers_are_none(text):
    with pytest.raises(ValueError, match="number"):
        parse_number(text, int)


def test_numbers_are_what_they_say():
    assert [parse_number(text, int) for text in (" 12", "-3")] == [12, -3]
    assert parse_number("1e-3", float) == 0.001
    assert json.dumps(parse_json(b"[9223372036854775807, 1.5]")) == "[9223372036854775807, 1.5]"


def test_the_page_has_a_row_for_each_kind(tmp_path):
    counts = {kind.name: Count() for kind in KINDS}
    counts["tables"].outcomes.update(result=2, refused=1_000, died=1)
    text = page.section(counts, "python -m benchmarks.faults", 10, 3)
    assert "| tables | 1,003 | 2 | 1,000 | 1 died |  | 0 |" in text
    assert "| **all** | 1,003 |" in text
    place = tmp_path / "page.md"
    place.write_text("before\n<!-- begin campaign -->\nold\n<!-- end campaign -->\nafter\n")
    page.write("new", place)
    assert place.read_text() == "before\n<!-- begin campaign -->\nnew\n<!-- end campaign -->\nafter\n"

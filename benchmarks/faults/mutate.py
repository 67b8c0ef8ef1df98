"""Faults put into content: each mutator is a pure function of the content and a random generator."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import yaml

Mutator = Callable[[bytes, Random], bytes]

#: Texts that readers of numbers, dates, names and nested values stumble over.
ODD_TEXTS = (
    "9" * 5000, "-" + "1" * 400, "1e999", "nan", "-inf", "0x1F", "1_0", "٣", "2024-13-45", "!!python/object:os.system",
    "\x00", "\x1b[31mred\x1b[0m", "a\rb", "\u202eevil", "\ufeff", "x" * 70_000, "", " ", "~", "null", "[]", "{}",
    "*a", "&a", "../../etc/passwd", "/dev/zero", "é" * 300, "💥", "%s%n", "' or 1=1", "1:1:1", "=1+1", "{0.__class__}",
)  # fmt: skip
#: Values of other kinds than whatever stands there.
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**25, -(10**400), 1e308, -0.5, float("inf"), float("nan"), "", "1",
    "text", "\x1b[2J", "a\nb", "x" * 5000, [], [1, "a", None], [[]], {}, {"a": 1}, {"": {}}, {"1": [2]},
)  # fmt: skip
#: Bytes that end texts, begin files or are no UTF-8.
ODD_BYTES = (b"\x00", b"\xff\xfe", b"\xc3\x28", b"\x1b[31m", b"\r", b"\n", b"PK\x03\x04", b"\x80" * 9, b"\xf0\x9f\x92")


def flip_bits(content: bytes, draw: Random) -> bytes:
    """Turn one to sixteen bits over, more often near the beginning, where headers are."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 16) if data else 0):
        near = draw.random() < 0.5
        place = draw.randrange(min(len(data), 256) if near else len(data))
        data[place] ^= 1 << draw.randrange(8)
    return bytes(data)


def truncate(content: bytes, draw: Random) -> bytes:
    """Cut the end off, anywhere from the first byte on."""
    return content[: draw.randrange(len(content) + 1)]


def zero_block(content: bytes, draw: Random) -> bytes:
    """Overwrite a block with zeros, as a disk does that lost power."""
    start, end = _block(content, draw)
    return content[:start] + bytes(end - start) + content[end:]


def insert(content: bytes, draw: Random) -> bytes:
    """Put some bytes in between."""
    place = draw.randrange(len(content) + 1)
    added = draw.choice([*ODD_BYTES, draw.randbytes(draw.randint(1, 40))])
    return content[:place] + added + content[place:]


def duplicate_block(content: bytes, draw: Random) -> bytes:
    """Repeat a block."""
    start, end = _block(content, draw)
    return content[:end] + content[start:end] * draw.randint(1, 3) + content[end:]


def swap_blocks(content: bytes, draw: Random) -> bytes:
    """Let two neighbouring blocks change places."""
    start, end = _block(content, draw)
    middle = draw.randint(start, end)
    return content[:start] + content[middle:end] + content[start:middle] + content[end:]


def _block(content: bytes, draw: Random) -> tuple[int, int]:
    start = draw.randrange(len(content) + 1)
    return start, min(len(content), start + draw.choice((1, 8, 64, 512, 4096)))


BYTES: Sequence[Mutator] = (flip_bits, truncate, zero_block, insert, duplicate_block, swap_blocks)


def mutate_bytes(content: bytes, draw: Random) -> bytes:
    """One to three faults of any content, or nothing at all."""
    if draw.random() < 0.01:
        return b""
    for _ in range(draw.randint(1, 3)):
        content = draw.choice(BYTES)(content, draw)
    return content


def mutate_text(content: bytes, draw: Random) -> bytes:
    """A word, a line or the whole text made into something that text readers stumble over."""
    kind = draw.randrange(7)
    if kind == 0:  # brackets without end, in whatever form
        return content + draw.choice((b"[", b'{"a":', b"- ", b"? ", b"(")) * draw.choice((50, 3000, 100_000))
    if kind == 1:  # one huge line
        return content.replace(b"\n", b" ") + b"x" * draw.choice((10_000, 3_000_000))
    if kind == 2:
        return content.decode("utf-8", "replace").encode(draw.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))
    if kind == 3:
        return content.replace(b"\n", draw.choice((b"\r", b"\r\n", b"\n\n", b"\x0b", b"\x00")))
    words = content.split(b" " if kind == 4 else b"\n")
    place = draw.randrange(len(words))
    words[place] = draw.choice((draw.choice(ODD_BYTES), draw.choice(ODD_TEXTS).encode("utf-8", "replace")))
    return (b" " if kind == 4 else b"\n").join(words)


def mutate_value(document: Any, draw: Random) -> Any:
    """A document of dicts and lists with one value dropped, renamed, replaced or nested deeply."""
    if not isinstance(document, dict | list) or not document or draw.random() < 0.15:
        return _odd_value(document, draw)
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    keys = list(copy) if isinstance(copy, dict) else list(range(len(copy)))
    key = draw.choice(keys)
    kind = draw.random()
    if kind < 0.15:
        del copy[key]
    elif kind < 0.3 and isinstance(copy, dict):
        copy[draw.choice((*ODD_TEXTS[:12], f"{key}s"))] = copy.pop(key)
    elif kind < 0.35:
        copy[key] = [copy[key], copy[key]]
    else:
        copy[key] = mutate_value(copy[key], draw)
    return copy


def _odd_value(value: Any, draw: Random) -> Any:
    if draw.random() < 0.1:
        for _ in range(draw.choice((3, 60, 400))):
            value = [value] if draw.random() < 0.5 else {"a": value}
        return value
    return draw.choice((*ODD_VALUES, *ODD_TEXTS))


def mutate_json(content: bytes, draw: Random) -> bytes:
    """A JSON document with one to three odd values."""
    document = json.loads(content)
    for _ in range(draw.randint(1, 3)):
        document = mutate_value(document, draw)
    return _dump(document)


def mutate_json_lines(content: bytes, draw: Random) -> bytes:
    """Lines of JSON, one of them with odd values."""
    lines = content.splitlines()
    place = draw.randrange(len(lines))
    lines[place] = mutate_json(lines[place], draw)
    return b"\n".join(lines) + b"\n"


def _dump(document: Any) -> bytes:
    """JSON in UTF-8; what UTF-8 cannot hold becomes '?'."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def mutate_yaml(content: bytes, draw: Random) -> bytes:
    """A YAML document with one to three odd values, or with aliases that stand for billions of values."""
    if draw.random() < 0.03:
        doubled = [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
        return "\n".join(["a0: &a0 [x]", *doubled, content.decode()]).encode()
    document = yaml.safe_load(content)
    for _ in range(draw.randint(1, 3)):
        document = mutate_value(document, draw)
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    if draw.random() < 0.1:
        text = text.replace(
            ": ", draw.choice((": !!int ", ": !!timestamp ", ": !!python/name:os.system ", ": !!set ")), 1
        )
    return text.encode("utf-8", "replace")


def mutate_csv(content: bytes, draw: Random) -> bytes:
    """A csv table with odd cells, or with columns or rows dropped, doubled or moved."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    for _ in range(draw.randint(1, 3)):
        row = rows[0] if draw.random() < 0.2 else draw.choice(rows)
        kind = draw.randrange(6)
        if kind == 0 and row:
            del row[draw.randrange(len(row))]
        elif kind == 1:
            row.insert(draw.randint(0, len(row)), draw.choice(ODD_TEXTS))
        elif kind == 2:
            rows.insert(draw.randint(0, len(rows)), list(row))
        elif kind == 3 and len(rows) > 1:
            rows.remove(row)
        elif row:
            row[draw.randrange(len(row))] = draw.choice(ODD_TEXTS)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")

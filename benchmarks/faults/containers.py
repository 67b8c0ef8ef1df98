"""Faults inside containers: archives, safetensors headers, ONNX graphs and pickles, which plain bytes rarely reach."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import zipfile
from contextlib import suppress
from random import Random
from typing import Any

from benchmarks.faults.mutate import ODD_TEXTS, Mutator, mutate_bytes, mutate_value

#: The file that a pickle's payload writes into the current folder: if it is there, code of a file was run.
PAYLOAD_RAN = "payload-ran"


def inside_gzip(inner: Mutator) -> Mutator:
    """A mutator of what is packed with gzip."""

    def mutate(content: bytes, draw: Random) -> bytes:
        return gzip.compress(inner(gzip.decompress(content), draw), mtime=0)

    return mutate


def mutate_zip(content: bytes, draw: Random) -> bytes:
    """A zip archive with a fault in its headers, its directory or a member, whose checksum is then right."""
    kind = draw.randrange(3)
    if kind == 0:
        return _rezip(content, draw)
    mark = (b"PK\x01\x02", b"PK\x05\x06")[kind - 1]
    start = content.rfind(mark)
    if start < 0:
        return mutate_bytes(content, draw)
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        place = start + 4 + draw.randrange(max(1, min(42, len(data) - start - 4)))
        data[min(place, len(data) - 1)] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
    return bytes(data)


def _rezip(content: bytes, draw: Random) -> bytes:
    """The archive packed again with odd names or contents."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = old.read(name)
            if draw.random() < 0.3:
                member = draw.choice((mutate_bytes(member, draw), bytes(50_000_000)))
            if draw.random() < 0.3:
                name = draw.choice(
                    ("../" * 9 + "up.png", "/abs.png", "C:\\x.png", "a\nb.png", "\x1b[2Jx.png", "d" * 300 + ".png")
                )
            if name not in new.namelist():
                new.writestr(name, member)
    return packed.getvalue()


def mutate_safetensors(content: bytes, draw: Random) -> bytes:
    """A safetensors file with odd values in its JSON header, or a wrong length of it."""
    (length,) = struct.unpack("<Q", content[:8])
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    kind = draw.random()
    if kind < 0.1:
        odd = draw.choice((0, 1, length - 1, length + 1, len(content), 2**40, 2**63 - 1, 2**64 - 1))
        return struct.pack("<Q", odd) + content[8:]
    metadata = header.get("__metadata__", {})
    if kind < 0.75 and metadata:
        key = draw.choice(sorted(metadata))
        metadata[key] = _mutate_embedded(metadata[key], draw)
    else:
        header = mutate_value(header, draw)
    return _pack(header, tensors)


def _mutate_embedded(text: str, draw: Random) -> str:
    """A JSON text within another, with one to three odd values."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return draw.choice(ODD_TEXTS)
    if draw.random() < 0.05:
        return "[" * 100_000
    for _ in range(draw.randint(1, 3)):
        document = mutate_value(document, draw)
    return json.dumps(document, default=str)


def mutate_faces(content: bytes, draw: Random) -> bytes:
    """A face set's file with odd values in what it says of the faces, its checksum made right again."""
    (length,) = struct.unpack("<Q", content[:8])
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    text = _mutate_embedded(header["__metadata__"]["faces"], draw)
    digest = hashlib.sha256()
    for name in ("images", "labels"):
        start, end = header[name]["data_offsets"]
        digest.update(tensors[start:end])
    with suppress(ValueError, TypeError, KeyError):
        digest.update("\n".join(json.loads(text)["classes"]).encode("utf-8", "replace"))
    checksum = hashlib.sha256(f"{digest.hexdigest()}\n{text}".encode("utf-8", "replace")).hexdigest()
    header["__metadata__"] |= {"faces": text, "checksum": checksum}
    return _pack(header, tensors)


def _pack(header: object, tensors: bytes) -> bytes:
    text = json.dumps(header, default=str).encode("utf-8", "replace")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + tensors


def mutate_onnx(content: bytes, draw: Random) -> bytes:
    """An ONNX file with other names, kinds, shapes or metadata."""
    import onnx

    model = onnx.load_from_string(content)
    kind = draw.randrange(6)
    graph = model.graph
    if kind <= 1:
        for entry in model.metadata_props:
            if entry.key == "fercli":
                entry.value = _mutate_embedded(entry.value, draw).encode("utf-8", "replace").decode()
    elif kind == 2:
        value = draw.choice([*graph.input, *graph.output])
        value.type.tensor_type.elem_type = draw.choice((1, 2, 3, 6, 7, 9, 10, 11, 16))
    elif kind == 3:
        node = draw.choice(graph.node)
        node.op_type = draw.choice(("Identity", "Softmax", "Sigmoid", "Nope", "Exp", "Shape", "Loop"))
    elif kind == 4:
        del graph.output[draw.randrange(len(graph.output))]
    else:
        value = draw.choice([*graph.input, *graph.output])
        value.name = draw.choice(("other", "", "\x1b[2J", "x" * 3000))
    return bytes(model.SerializeToString())


class _Payload:
    """Unpickled, it writes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({PAYLOAD_RAN!r}, 'w').close()",)


def add_payload(content: bytes, draw: Random) -> bytes:
    """A file of torch.save whose pickle, or the file itself, runs code when it is unpickled as usual."""
    kind = draw.randrange(3)
    if kind == 0 or not zipfile.is_zipfile(io.BytesIO(content)):
        return pickle.dumps({"layer": _Payload()}, protocol=draw.choice((0, 2, 4, 5)))
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            if name.endswith("data.pkl"):
                call = pickle.dumps(_Payload(), protocol=2)
                member = call if kind == 1 else call[:-1] + b"0" + member[2:]  # it is dropped, the rest is as it was
            if name not in new.namelist():
                new.writestr(name, member)
    return packed.getvalue()

"""What the network knows of each face, as numbers for programs of one's own: a Parquet or NumPy file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import UsageError
from fercli.core.files import refuse_existing, written_whole
from fercli.faces.crop import crop_face
from fercli.workflows.predict.results import PictureResult, Predicted, source_text

if TYPE_CHECKING:
    from fercli.models.embed import Embedder

#: Rows that are written together. It bounds the memory of a Parquet file of any length.
_ROW_GROUP = 4_096


def plan_embeddings(file: Path, force: bool) -> None:
    """Raises UsageError where the file must not be written, MachineError where pyarrow is missing for it."""
    if file.suffix.lower() not in (".parquet", ".npz"):
        raise UsageError(f"--embeddings {file}: the name must end in .parquet or .npz")
    if file.suffix.lower() == ".parquet":
        from fercli.workflows.predict.output.parquet import need_pyarrow

        need_pyarrow(file)
    refuse_existing(file, force=force)


def write_embeddings(predicted: Iterable[Predicted], embedder: "Embedder", file: Path) -> Iterator[Predicted]:
    """The same predictions, with the embedding of each face written: a row a face, with its source, frame, number and
    label. The file is there when all predictions have passed. Raises RunError where it cannot be written."""
    write = _write_parquet if file.suffix.lower() == ".parquet" else _write_npz
    with written_whole(file) as temporary:
        yield from write(predicted, embedder, temporary)


def _embed(item: Predicted, embedder: "Embedder") -> NDArray[np.float32]:
    pixels = item.picture.pixels
    if pixels is None or not item.result.faces:
        return np.empty((0, embedder.size), np.float32)
    return embedder.embed(np.stack([crop_face(pixels, face.detection) for face in item.result.faces])[:, None])


def _rows(result: PictureResult) -> list[dict[str, Any]]:
    source = source_text(result.source)
    return [
        {"source": source, "frame": result.frame, "face": face.number, "track": face.track, "label": face.label}
        for face in result.faces
    ]


def _write_parquet(predicted: Iterable[Predicted], embedder: "Embedder", file: Path) -> Iterator[Predicted]:
    import pyarrow
    import pyarrow.parquet

    numbers, text = pyarrow.int64(), pyarrow.string()
    names = {"source": text, "frame": numbers, "face": numbers, "track": numbers, "label": text}
    schema = pyarrow.schema([*names.items(), ("embedding", pyarrow.list_(pyarrow.float32(), embedder.size))])
    rows: list[dict[str, Any]] = []
    with pyarrow.parquet.ParquetWriter(str(file), schema) as writer:
        for item in predicted:
            vectors = _embed(item, embedder)
            rows += [row | {"embedding": vector} for row, vector in zip(_rows(item.result), vectors, strict=True)]
            if len(rows) >= _ROW_GROUP:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                rows.clear()
            yield item
        writer.write_table(pyarrow.Table.from_pylist(rows, schema))


def _write_npz(predicted: Iterable[Predicted], embedder: "Embedder", file: Path) -> Iterator[Predicted]:
    vectors: list[NDArray[np.float32]] = [np.empty((0, embedder.size), np.float32)]
    rows: list[dict[str, Any]] = []
    for item in predicted:
        vectors.append(_embed(item, embedder))
        rows += _rows(item.result)
        yield item
    columns: dict[str, Any] = {
        "source": np.array([row["source"] for row in rows], np.str_),
        "frame": np.array([-1 if row["frame"] is None else row["frame"] for row in rows], np.int64),
        "face": np.array([row["face"] for row in rows], np.int64),
        "label": np.array([row["label"] for row in rows], np.str_),
    }
    np.savez_compressed(file, **columns, embeddings=np.concatenate(vectors))

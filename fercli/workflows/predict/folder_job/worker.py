"""What works on shards, in the process or on the node that it is in: pictures read, rows written to the target."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from fercli.core.errors import PictureError
from fercli.core.files import write_json
from fercli.core.progress import Progress
from fercli.core.text import to_printable
from fercli.faces.io.sources import Source, expand_copy
from fercli.faces.io.stores import fetch_object
from fercli.models.locate import is_shipped, member_names, weights_path
from fercli.workflows.predict.folder_job.manifest import ShardTask
from fercli.workflows.predict.folder_job.target import Target
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.output.resume import JobRecord
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.run import JobProgress, run_sources


@dataclass(frozen=True)
class ModelFile:
    """A member of the model: its name in the catalogue, or the content of its file, which a node may lack."""

    name: str
    content: bytes | None = None


def read_model(model: str | None) -> tuple[ModelFile, ...]:
    """The members of a model, as load_model takes it. Raises ModelError where there is none."""
    files = []
    for name in member_names(model):
        path = weights_path(name)
        files.append(ModelFile(name) if is_shipped(path) else ModelFile(path.name, path.read_bytes()))
    return tuple(files)


@dataclass(frozen=True)
class Work:
    """What is the same for all shards of a job. Paths are relative to `folder`, where a node has it. `threads` is for
    each process, None for as many as it takes itself."""

    target: str
    folder: str
    options: PredictOptions
    record: JobRecord
    model: tuple[ModelFile, ...]
    threads: int | None = None


class ShardWorker:
    """Works on one shard after the other; what each counted goes into `folder`."""

    def __init__(self, work: Work, folder: Path, progress: Progress) -> None:
        if work.threads:
            for name in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
                os.environ.setdefault(name, str(work.threads))
        with suppress(OSError):
            os.chdir(work.folder)
        self._work, self._folder, self._progress = work, folder, progress
        self._target = Target(work.target)

    def run(self, task: ShardTask) -> None:
        """Predict the expressions in a shard's pictures, and put its file where the others are."""
        with TemporaryDirectory(prefix="fer-") as name:
            folder = Path(name)
            file = folder / task.name
            sources = [each for number, source in enumerate(task.sources) for each in _unpack(source, folder, number)]
            options = replace(self._work.options, output=file, model=self._place_model(folder))
            summary = run_sources(sources, options, self._work.record, _ShardProgress(self._progress))
            if summary.interrupted:
                raise KeyboardInterrupt
            self._target.take(file, task.name)
        counts = {
            "pictures": summary.pictures, "videos": len(summary.videos), "no_face": summary.no_face,
            "failed": summary.failed, "labels": dict(summary.labels), "hard": dict(summary.hard),
            "classes": summary.classes,
        }  # fmt: skip
        write_json(self._folder / task.result, counts)

    def _place_model(self, folder: Path) -> str:
        """The model by names that this machine knows; files that came along are written first."""
        names = []
        for file in self._work.model:
            if file.content is None:
                names.append(file.name)
                continue
            path = folder / f"{sha256(file.content).hexdigest()}{Path(file.name).suffix}"
            path.write_bytes(file.content)
            names.append(str(path))
        return "+".join(names)


class _ShardProgress(JobProgress):
    """Passes on what is said of a shard, and which of its pictures failed."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        self._progress.say(text)

    def failed(self, result: PictureResult) -> None:
        self._progress.say(f"{to_printable(str(result.source))}: {result.message}")


def _unpack(source: Source, folder: Path, number: int) -> Iterator[Source]:
    """The source itself, or what is in it where it is an archive in a store, which is copied here first: read once,
    from its beginning to its end."""
    if source.stored is None or not source.stored.is_archive:
        yield source
        return
    copy = folder / f"{number}{''.join(source.path.suffixes[-2:])}"
    try:
        fetch_object(source.path, copy)
    except PictureError as error:
        yield replace(source, error=str(error))
    else:
        yield from expand_copy(source.path, copy)

"""What a job draws and saves besides its rows, planned before anything is computed: nothing is lost by surprise."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.errors import UsageError
from fercli.core.files import check_writable, refuse_existing, written_whole
from fercli.faces.io.sources import Source
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.pipeline import Stage
from fercli.workflows.predict.results import PredictSummary

if TYPE_CHECKING:
    from fercli.models.locate import TrainedModel
    from fercli.workflows.predict.output.resume import JobFile

#: A file's number: its device's and its own on it.
_FileNumber = tuple[int, int]


@dataclass(frozen=True)
class Resumed:
    """What an interrupted or complete job that is resumed has drawn already, perhaps: for these sources, since this
    time, as files have it. Files that are as new are its own and may be replaced."""

    sources: Sequence[Source] = ()
    since: float | None = None


#: Of a job that is not resumed: nothing.
NOTHING = Resumed()


class Visuals:
    """The annotations, heat maps, crops, embeddings and report that the options ask for, of `sources`.

    Raises UsageError, or MachineError for a library that is missing, where one of them must not or cannot be written,
    RunError where the system does not let it.
    """

    def __init__(self, options: PredictOptions, sources: Sequence[Source], resumed: Resumed) -> None:
        self._options = options
        #: what is to be said before the job begins; may be empty
        self.remark = ""
        if options.report:
            from fercli.workflows.predict.visuals.report import plan_report

            plan_report(options.report, options.force, resumed.since)
        if options.annotate:
            from fercli.workflows.predict.visuals.annotate import plan_annotations

            self._annotations = plan_annotations(sources, options.annotate, options.force, resumed)
            if any(source.kind == "video" for source in sources):
                from fercli.faces.video.sound import can_copy_sound

                if not can_copy_sound():
                    self.remark = "annotated videos have no sound: pip install av keeps it"
        if options.explain:
            from fercli.workflows.predict.visuals.explain import plan_explanations

            self._stems = plan_explanations(sources, options.explain, options.force, resumed)
        if options.save_crops:
            from fercli.workflows.predict.visuals.crops import plan_crops

            plan_crops(options.save_crops, may_exist=options.force or options.resume)
        if options.embeddings:
            from fercli.workflows.predict.visuals.embeddings import plan_embeddings

            plan_embeddings(options.embeddings, options.force)
        for file in filter(None, (options.report, options.embeddings)):
            check_writable(file)
        for folder in filter(None, (options.annotate, options.explain, options.save_crops)):
            check_writable(folder, folder=True)

    def stages(self, network: "TrainedModel", file: "JobFile | None", say: Callable[[str], None]) -> list[Stage]:
        """What draws them while the job runs. A report counts what earlier runs wrote to the job's `file` too. `say`
        hears what could not be drawn as wanted.

        Raises ModelError for a network that cannot be explained.
        """
        stages: list[Stage] = []
        if self._options.annotate:
            from fercli.workflows.predict.visuals.annotate import Annotator

            stages.append(Annotator(self._annotations, self._options.every, network.classes, say).draw)
        if self._options.explain:
            from fercli.models.explain import Explainer
            from fercli.models.load import Model
            from fercli.workflows.predict.visuals.explain import write_explanations

            assert isinstance(network, Model)  # gradients need PyTorch: see pipeline.load_networks
            explainer = Explainer(network)
            stages.append(lambda predicted: write_explanations(predicted, explainer, self._stems))
        if folder := self._options.save_crops:
            from fercli.workflows.predict.visuals.crops import save_crops

            stages.append(lambda predicted: save_crops(predicted, folder))
        if file_of_vectors := self._options.embeddings:
            from fercli.models.embed import Embedder
            from fercli.models.load import Model
            from fercli.workflows.predict.visuals.embeddings import write_embeddings

            assert isinstance(network, Model)
            embedder = Embedder(network)
            stages.append(lambda predicted: write_embeddings(predicted, embedder, file_of_vectors))
        if self._options.report:
            from fercli.workflows.predict.visuals.report import Report

            self._report = Report(network.classes)
            self._report.add_earlier(file.earlier() if file else ())
            stages.append(self._report.collect)
        return stages

    def finish(self, network: "TrainedModel", summary: PredictSummary) -> None:
        """Write the report, and add to the summary what was written. Raises RunError where that fails."""
        options = self._options
        if options.annotate and any(path.exists() for path in self._annotations.values()):
            summary.annotations = options.annotate
        if options.explain and summary.faces:
            summary.explanations = options.explain
        if options.save_crops and summary.faces:
            summary.crops = options.save_crops
        if options.embeddings and options.embeddings.exists():
            summary.embeddings = options.embeddings
        if options.report:
            from fercli.workflows.predict.visuals.report_html import describe_job, write_report

            write_report(options.report, self._report, describe_job(network, options))
            summary.report = options.report


def check_free(
    files: Sequence[Path], folder: Path, sources: Sequence[Source], force: bool, since: float | None = None
) -> None:
    """Raises UsageError where a file that is to be written below `folder` must not be: an original in any case,
    another without `force`, unless it was written `since` then."""
    inner = {folder, *(file.parent for file in files)}
    for parent in {parent for low in inner for parent in (low, *low.parents)}:
        if parent.exists() and not parent.is_dir():
            raise UsageError(f"{parent} is a file: choose another folder for what is drawn")
    existing = [file for file in files if os.path.lexists(file)]
    if not existing:
        return
    read = {source.member.archive if source.member else source.path for source in sources}
    originals = set[_FileNumber]().union(*map(_file_numbers, read))
    for file in existing:
        if not originals.isdisjoint(_file_numbers(file)):
            raise UsageError(f"{file} is one of the originals: choose another folder for what is drawn")
        refuse_existing(file, force=force, otherwise="choose another folder", since=since)


def save_picture(picture: NDArray[np.uint8], path: Path) -> None:
    """Write RGB pixels [H, W, 3] whole. Raises RunError where that is not possible."""
    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92)


def printable_path(path: Path) -> str:
    """A path as text that UTF-8 can hold: bytes of a name that are not UTF-8 become �."""
    return os.fsencode(path).decode("utf-8", "replace")


def _file_numbers(path: Path) -> set[_FileNumber]:
    """The file at a path and the one that it leads to, by their numbers on the disk: names may differ in case."""
    numbers = set()
    for status in (os.stat, os.lstat):
        with suppress(OSError):
            file = status(path)
            numbers.add((file.st_dev, file.st_ino))
    return numbers

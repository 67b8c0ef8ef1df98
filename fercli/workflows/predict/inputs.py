"""What a job works on: the pictures and videos that are found where its inputs say."""

from collections.abc import Sequence
from pathlib import Path

from fercli.faces.io.sources import Source, find_sources
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import PictureResult


def find_inputs(inputs: Sequence[Path], options: PredictOptions) -> list[Source]:
    """The sources at `inputs` and in the list that the options name. Raises UsageError where there are none."""
    if options.from_file is None:
        return find_sources(inputs, options.recursive)
    from fercli.faces.io.sources import read_list

    return find_sources(inputs, options.recursive, listed=read_list(options.from_file))


def list_missing(sources: Sequence[Source]) -> list[PictureResult]:
    """The results of inputs none of which is there, or holds a picture; empty where one does.

    Nothing is written for these: a file would be in the way of the right command.
    """
    found = [source for source in sources if not source.error or (source.stored and source.stored.is_archive)]
    return [] if found else [PictureResult(source.path, "failed", source.error) for source in sources]

"""A small set of drawn faces, and studies on it that take seconds."""

from dataclasses import replace

import pytest

from fercli.core.progress import Progress
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.run import search

SPACE = """
optimizer.lr: {low: 1e-3, high: 3e-2, log: true}
augment.rotate: {low: 0, high: 20}
schedule.name: [one-cycle, constant]
schedule.warmup: {low: 0.05, high: 0.4, when: {schedule.name: one-cycle}}
"""
#: The smallest network that learns anything.
SMALL = {"arguments.width": 0.25, "arguments.expansion": 0.25, "arguments.head": 16}


class Heard(Progress):
    """What was said; stops with Ctrl-C after so many epochs."""

    def __init__(self, epochs: int = 10**6) -> None:
        self.said: list[str] = []
        self.left = epochs

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        pass

    def update(self, done: float, total: float, what: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.fixture
def study(tmp_path):
    """Runs a study of a few trials into a folder below tmp_path."""
    write_faces(tmp_path / "faces.safetensors", replace(cartoon(10, 1), name="small"))
    (tmp_path / "space.yaml").write_text(SPACE)

    def run(out="study", progress=None, **options):
        values = {
            "data": str(tmp_path / "faces.safetensors"),
            "space": str(tmp_path / "space.yaml"),
            "recipe": "quick",
            "recipe_settings": {"epochs": 2, **SMALL},
            "trials": 4,
            "top": 1,
            "seeds": 2,
            "compile": "off",
            "precision": "fp32",
            "device": "cpu",
            "out": tmp_path / out,
        }
        return search(SearchOptions(**values | options), progress or Heard())

    return run

"""The field's words: names and phrases that were retired stay so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted((ROOT / "fercli").rglob("*.py"))
TEXTS = [*CODE, ROOT / "models.yaml", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

#: Names of functions, classes, arguments, variables, attributes and modules, and what they are called now.
NAMES = {
    "best_of_smaller": "nms_min", "owners": "image_ids", "Lying": "PlacedTile", "stop_after": "early_stopping_patience",
    "teacher_share": "distillation_weight", "extra_most": "max_extra_per_class", "taught": "distillation_targets",
    "restate_norms": "update_batchnorm", "repeatable": "seed_everything", "augmented": "augment",
    "Reading": "LoadOptions", "Steps": "ProgressCallback", "unheard": "no_progress", "Tracks": "FaceTracker",
    "Listener": "Progress", "merged": "merge_settings", "nested": "nest_settings", "lasting_name": "resolve_teacher",
    "with_classes": "match_classes", "logits_among": "select_logits", "folder_for": "choose_folder",
    "crossval_settings": "resolve_crossval", "threads_for": "choose_threads", "parts_of": "find_parts",
    "Film": "VideoWriter", "filming": "write_video", "astray": "diverged", "Fault": "Issue", "Average": "Ensemble",
    "faceless": "no_face", "removals": "list_removals",
}  # fmt: skip
#: Phrases that no message, help text, comment or page uses.
PHRASES = (
    "named otherwise", "gone on with", "who is who", "went astray", "To be had from", "broken off", "flatter",
    "no numbers", "drawn and trained anew", "breaks down", "broke down",
)  # fmt: skip


def names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.keyword() if node.arg:
                yield node.arg
            case ast.Name():
                yield node.id
            case ast.Attribute():
                yield node.attr
    yield file.stem


@pytest.mark.parametrize("file", CODE, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_name_is_a_retired_one(file):
    found = {name: NAMES[name.removeprefix("_")] for name in set(names(file)) if name.removeprefix("_") in NAMES}
    assert not found, f"{file.name} uses retired names: {found}"


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_text_uses_a_retired_phrase(file):
    text = " ".join(file.read_text(encoding="utf-8").split())
    found = [phrase for phrase in PHRASES if re.search(rf"\b{phrase}", text)]
    assert not found, f"{file.name} says {found}"

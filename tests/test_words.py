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
    "Listener": "Progress", "merged": "merge_settings", "nested": "nest_settings", "lasting_name": "resolve_model",
    "with_classes": "match_classes", "logits_among": "select_logits", "folder_for": "choose_folder",
    "crossval_settings": "resolve_crossval", "threads_for": "choose_threads", "parts_of": "find_splits",
    "Film": "VideoWriter", "filming": "write_video", "astray": "diverged", "Fault": "Issue", "Average": "Ensemble",
    "faceless": "no_face", "removals": "list_removals", "part": "split", "parts": "splits", "find_parts": "find_splits",
    "assign_parts": "assign_task_splits", "fold_parts": "assign_fold_splits", "place_data": "prepare_data",
    "place": "path, index or position", "places": "paths, indices or positions", "share": "fraction",
    "shares": "fractions or probabilities", "confusion_shares": "confusion_fractions", "mean_shares": "average_columns",
    "copies": "duplicates or annotations", "find_copies": "list_duplicate_issues", "near": "near_duplicates",
    "find_near_copies": "list_near_duplicate_issues", "find_near": "find_similar",
}  # fmt: skip
#: Files in which a retired name means something else: the parts of a path, and the flag `--near`.
EXCEPTIONS = {
    "part": {"faces/io/archives.py", "faces/io/folders.py", "faces/io/sources.py"},
    "parts": {
        "data/loaders/class_folders.py", "data/subjects.py", "faces/io/archives.py", "faces/io/folders.py",
        "faces/io/sources.py", "workflows/predict/visuals/report_html.py",
    },
    "near": {"cli/data/check.py"},
}  # fmt: skip
#: Phrases that no message, help text, comment or page uses, as regular expressions.
PHRASES = (
    "named otherwise", "gone on with", "who is who", "went astray", "To be had from", "broken off", "flatter",
    "no numbers", "drawn and trained anew", "breaks down", "broke down",
    r"(train|training|val|validation|test|spare) parts?\b", r"copies (across|of each other|with different)",
    r"[Aa]nnotated cop(y|ies)\b", r"[Nn]ear copies",
)  # fmt: skip


#: Words that no help text of a flag uses: a reader of `fer COMMAND --help` knows splits, folders and fractions.
HELP = r"\b(parts?|places?|copies|shares?)\b"


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
    allowed = {name for name, files in EXCEPTIONS.items() if file.relative_to(ROOT / "fercli").as_posix() in files}
    plain = {name.removeprefix("_") for name in names(file)} - allowed
    found = {name: NAMES[name] for name in plain & NAMES.keys()}
    assert not found, f"{file.name} uses retired names: {found}"


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_text_uses_a_retired_phrase(file):
    text = " ".join(file.read_text(encoding="utf-8").split())
    found = [phrase for phrase in PHRASES if re.search(rf"\b{phrase}", text)]
    assert not found, f"{file.name} says {found}"


@pytest.mark.parametrize("file", sorted((ROOT / "fercli" / "cli").rglob("*.py")), ids=lambda file: file.name)
def test_no_help_uses_a_retired_word(file):
    helps = [
        text.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "help"
        for text in ast.walk(node.value)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]
    assert not [text for text in helps if re.search(HELP, text)]


def test_every_exception_is_needed():
    for name, files in EXCEPTIONS.items():
        for file in files:
            assert name in names(ROOT / "fercli" / file), f"{file} has no {name}"

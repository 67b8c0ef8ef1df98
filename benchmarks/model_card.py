"""Measures a network that ships and writes the figures into its card, docs/models/NAME.md, between markers.

    FER_DATA=… python -m benchmarks.model_card [--model xu-rescnn …] [--only quality] [--card FILE]

A card without the markers of 'corruptions' is filled without them: for a large network they take long. `--only quality`
measures and writes that block alone; several networks that are measured on the same photographs share the search.
Needs fer2013 and muxspace below FER_DATA. Every figure is that of the command that stands above it. What is not between
markers is written by hand and stays.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import fercli
from benchmarks import face_quality
from benchmarks import model_card_tables as tables
from benchmarks.face_quality import Quality, measure_quality
from fercli.core.catalogue import ModelEntry
from fercli.core.files import write_text
from fercli.data.load import SETS, data_root
from fercli.data.quality.corruptions import parse_corruptions
from fercli.models.catalogue import load_catalogue
from fercli.models.locate import weights_path
from fercli.models.weights import Header, read_header
from fercli.workflows.evaluate.evaluation import Evaluation
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate

CARDS = Path(__file__).resolve().parent.parent / "docs" / "models"

_BLOCK = re.compile(
    r"(?P<begin><!-- begin (?P<name>[\w-]+)[^>]*-->\n)(?P<text>.*?)(?P<end><!-- end (?P=name) -->)", re.DOTALL
)


@dataclass(frozen=True)
class Measured:
    """What a card is made of: PublicTest seen once and with mirror images, the latter corrupted too, and muxspace, all
    its faces and some of its photographs made smaller and blurred."""

    entry: ModelEntry
    header: Header
    single: Evaluation
    mirrored: Evaluation
    photographs: Evaluation
    quality: Quality


def filled(card: str, blocks: Mapping[str, str]) -> str:
    """The card with each block between its markers. Raises ValueError where blocks and markers are not the same."""
    marked = [found["name"] for found in _BLOCK.finditer(card)]
    if sorted(marked) != sorted(blocks):
        raise ValueError(f"the card has markers for {', '.join(marked)}; the figures are {', '.join(blocks)}")
    return _BLOCK.sub(lambda found: f"{found['begin']}{blocks[found['name']].strip()}\n{found['end']}", card)


def standing(card: str) -> dict[str, str]:
    """The text that each block of a card has."""
    return {found["name"]: found["text"] for found in _BLOCK.finditer(card)}


def measured(name: str, quality: Quality, *, corrupted: bool) -> Measured:
    """Run every other measurement: minutes, and the first time five more to find the faces of muxspace."""
    plain = EvaluateOptions(model=name, data="fer2013", split="val", device="cpu")
    single = evaluate(plain)
    mirrored = evaluate(replace(plain, tta=True, corruptions=parse_corruptions(None) if corrupted else ()))
    header = read_header(weights_path(name))
    split = "test" if "muxspace" in header.data_sets else "all"
    photos = evaluate(EvaluateOptions(model=name, data="muxspace", split=split, tta=True, device="cpu"))
    return Measured(load_catalogue()[name], header, single, mirrored, photos, quality)


def facts(made: Measured) -> Iterator[str]:
    """What the network is and where its weights come from, as a table."""
    trained, parameters = made.header.training, made.entry.parameters
    yield "| | |"
    yield "|---|---|"
    yield f"| architecture | {made.entry.source.cite} |"
    yield f"| parameters | {parameters.trainable:,} trainable, {parameters.total:,} with running statistics |"
    yield f"| cost | {made.entry.multiply_adds:,} multiply-adds a face |"
    yield f"| classes | {', '.join(made.header.classes)} |"
    yield f"| training | `{trained['command']}` |"
    yield f"| weights of | epoch {trained['best_epoch']} of {trained['epochs']}, seed {trained['seed']} |"
    yield from (f"| beside its figures | {note} |" for note in dict.fromkeys(one.note for one in made.entry.results))
    if teacher := trained.get("teacher"):
        yield f"| taught by | {teacher} |"
    if labels := trained.get("reading", {}).get("labels"):
        yield f"| labels | `--labels {labels}` |"
    for name in made.header.data_sets:
        yield f"| data | `{name}`: {SETS[name].summary} |"
        yield f"| from | {SETS[name].source} |"
        yield f"| terms | {SETS[name].terms} |"
    if made.entry.licence:
        yield f"| licence | {made.entry.licence.statement} |"
    yield f"| measured with | fercli {fercli.__version__}, torch {torch.__version__.partition('+')[0]}, on a CPU |"


def blocks(made: Measured) -> dict[str, str]:
    """The text of every block by its name."""
    name, rows = made.single.model, made.mirrored.robustness
    public = f"`fer eval --model {name} --data fer2013 --split val`, mirrored: with `--tta`"
    photos = f"`fer eval --model {name} --data muxspace --tta`"
    worse = f"`fer eval --model {name} --data fer2013 --split val --tta --corrupt`"
    sections: dict[str, tuple[str, Iterator[str]]] = {
        "facts": ("", facts(made)),
        "overall": (public, tables.overall(made.single, made.mirrored)),
        "classes": (public, tables.classes(made.single, made.mirrored)),
        "calibration": (f"{public}; {photos}", tables.calibration(made.single, made.mirrored, made.photographs)),
        "photographs": (photos, tables.photographs(made.photographs, made.mirrored)),
        "photographs-confusion": (photos, tables.confusions(made.photographs)),
        **({"corruptions": (worse, tables.corruptions(rows))} if rows else {}),
        "weak": ("", tables.weak_points(made.mirrored, made.photographs, rows)),
    }
    made_blocks = {block: _text(command, lines) for block, (command, lines) in sections.items()}
    return {**made_blocks, "quality": quality_text(name, made.quality)}


def quality_text(name: str, quality: Quality) -> str:
    """The block of accuracy by size, blur and yaw."""
    return _text(f"`python -m benchmarks.face_quality --model {name}`", face_quality.tables(quality))


def _text(command: str, lines: Iterator[str]) -> str:
    """A block: the command that measures it, if it has one of its own, and its lines."""
    return "\n".join([*([f"{command}:", ""] if command else []), *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["xu-rescnn"], help="those whose weights ship")
    parser.add_argument("--only", choices=["quality"], help="write this block alone")
    parser.add_argument("--card", type=Path, help="default: docs/models/MODEL.md")
    options = parser.parse_args()
    for name, quality in zip(options.model, measure_quality(options.model, data_root(None)), strict=True):
        path = options.card or CARDS / f"{name}.md"
        card = path.read_text(encoding="utf-8")
        if options.only:
            made = {**standing(card), "quality": quality_text(name, quality)}
        else:
            made = blocks(measured(name, quality, corrupted="<!-- begin corruptions -->" in card))
        write_text(path, filled(card, made))
        print(f"figures written into {path}", flush=True)


if __name__ == "__main__":
    main()

"""`cartoon`: drawn faces of drawn people, for trying every command and for the tests. No real person is in it.

The expressions differ by what moves in real faces (Ekman's action units, much simplified): brows, lids and
mouth. People differ in head, hair, skin, features and their resting face; pictures in pose, light and noise.
"""

from dataclasses import fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fercli.core.labels import EXPRESSIONS
from fercli.data.cartoon.drawing import Pen
from fercli.data.cartoon.head import Expression, Person, draw_head
from fercli.data.faceset import SIDE, FaceSet

_EXPRESSIONS = {
    "angry": Expression(inner=-0.22, outer=0.07, open_eyes=-0.25, smile=-0.07, wide=-0.12, gap=0.16, teeth=1.0),
    "disgust": Expression(inner=-0.12, outer=-0.07, open_eyes=-0.6, smile=-0.17, wide=-0.12, sneer=1.0),
    "fear": Expression(inner=0.21, outer=0.03, open_eyes=0.6, smile=-0.1, wide=0.32, gap=0.21),
    "happy": Expression(open_eyes=-0.45, smile=0.26, wide=0.38, gap=0.22, teeth=0.7),
    "sad": Expression(inner=0.16, outer=-0.16, open_eyes=-0.45, smile=-0.23, wide=-0.2),
    "surprise": Expression(inner=0.22, outer=0.22, open_eyes=0.75, wide=-0.42, gap=0.52),
    "neutral": Expression(),
}


def cartoon(subjects: int = 20, each: int = 5, seed: int = 0) -> FaceSet:
    """`subjects` drawn people with `each` pictures of every expression, the same for the same seed.

    Ids are 's01_happy_3'; more subjects or pictures leave the others as they are. No parts of its own.
    """
    people = [_person(np.random.default_rng((seed, subject))) for subject in range(subjects)]
    keys = [
        (subject, label, take)
        for subject in range(subjects)
        for label in range(len(EXPRESSIONS))
        for take in range(each)
    ]
    images = [
        _picture(people[subject], EXPRESSIONS[label], np.random.default_rng((seed, subject, label, take)))
        for subject, label, take in keys
    ]
    return FaceSet(
        name="cartoon",
        images=np.array(images, dtype=np.uint8).reshape(-1, 1, SIDE, SIDE),
        labels=np.array([label for _, label, _ in keys], dtype=np.int64),
        classes=EXPRESSIONS,
        ids=tuple(f"s{subject + 1:02}_{EXPRESSIONS[label]}_{take + 1}" for subject, label, take in keys),
        subjects=tuple(f"s{subject + 1:02}" for subject, _, _ in keys),
    )


def _person(draws: Generator) -> Person:
    skin = draws.uniform(130, 195)
    return Person(
        width=draws.uniform(0.725, 0.815),
        squareness=draws.uniform(2.1, 2.55),
        skin=skin,
        hair=float(np.clip(draws.choice([35, 60, 100, 170, 225]) + draws.uniform(-15, 15), 10, 240)),
        hairline=draws.uniform(-0.77, -0.59),
        hair_length=draws.choice([-0.5, -0.1, 0.6, 1.2]),
        brow_height=draws.uniform(-0.345, -0.315),
        brow_width=draws.uniform(0.075, 0.0925),
        eye_distance=draws.uniform(0.315, 0.345),
        eye_width=draws.uniform(0.16, 0.18),
        eye_height=draws.uniform(0.08, 0.095),
        nose_length=draws.uniform(0.23, 0.29),
        nose_width=draws.uniform(0.105, 0.14),
        mouth_height=draws.uniform(0.495, 0.525),
        mouth_width=draws.uniform(0.3, 0.34),
        lip_width=draws.uniform(0.062, 0.078),
        resting_smile=draws.uniform(-0.02, 0.02),
        glasses=bool(draws.random() < 0.2),
    )


def _picture(person: Person, name: str, draws: Generator) -> NDArray[np.uint8]:
    """One face [48, 48]: the expression more or less strong, head held and lit in its own way, with noise."""
    pen = Pen(
        background=draws.uniform(40, 210),
        angle=draws.normal(0, 3),
        scale=draws.uniform(1.05, 1.15),
        shift=(draws.uniform(-0.05, 0.05), draws.uniform(-0.05, 0.05)),
    )
    draw_head(pen, person, _acted(_EXPRESSIONS[name], draws))
    return _lit(pen.pixels(SIDE), draws)


def _acted(expression: Expression, draws: Generator) -> Expression:
    """An expression as one picture shows it: stronger or weaker, every movement a little off."""
    strength = draws.uniform(0.85, 1.15)
    moved = {
        field.name: getattr(expression, field.name) * strength * draws.uniform(0.85, 1.15)
        for field in fields(expression)
    }
    moved["inner"] += draws.normal(0, 0.012)
    moved["outer"] += draws.normal(0, 0.012)
    moved["smile"] += draws.normal(0, 0.012)
    return Expression(**moved)


def _lit(pixels: NDArray[np.float64], draws: Generator) -> NDArray[np.uint8]:
    """Light from one side, more or less of it, and the grain of a cheap camera."""
    down, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    direction = draws.uniform(0, 2 * np.pi)
    side = np.cos(direction) * across + np.sin(direction) * down
    light = draws.uniform(0.8, 1.15) + draws.uniform(0, 0.25) * side
    noise = draws.normal(0, draws.uniform(1, 4), pixels.shape)
    lit: NDArray[np.uint8] = np.clip(np.rint(pixels * light + noise), 0, 255).astype(np.uint8)
    return lit

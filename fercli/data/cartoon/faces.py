"""`cartoon`: drawn faces of drawn people, for trying every command and for the tests. No real person is in it.

The expressions differ by what moves in real faces (Ekman's action units, much simplified): brows, lids and
mouth. People differ in head, hair, skin, features and their face at rest. All pictures of a person with one
expression are from one sitting, as in many laboratory sets: they are alike in pose, light and background, and in how
strongly each part of the face moves. A model that has seen the sitting in training profits from that, so a split by
image overrates it.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fercli.core.labels import EXPRESSIONS
from fercli.data.cartoon.drawing import Pen, Pose, oval
from fercli.data.cartoon.head import Expression, Person, draw_head
from fercli.data.cartoon.lighting import Light, random_light, take_picture
from fercli.data.cartoon.occlusion import draw_occlusion
from fercli.data.faceset import SIDE, FaceSet

_EXPRESSIONS = {
    "angry": Expression(inner=-0.26, outer=0.1, open_eyes=-0.25, smile=-0.12, wide=-0.2, gap=0.15, teeth=1.0),
    "disgust": Expression(inner=-0.12, outer=-0.07, open_eyes=-0.6, smile=-0.19, wide=-0.12, sneer=1.0),
    "fear": Expression(inner=0.21, outer=0.03, open_eyes=0.6, smile=-0.1, wide=0.32, gap=0.21),
    "happy": Expression(open_eyes=-0.45, smile=0.3, wide=0.4, gap=0.22, teeth=0.7),
    "sad": Expression(inner=0.2, outer=-0.19, open_eyes=-0.45, smile=-0.25, wide=-0.2),
    "surprise": Expression(inner=0.22, outer=0.22, open_eyes=0.75, wide=-0.42, gap=0.52),
    "neutral": Expression(),
}

#: Fraction of the pictures in which something hides part of the face.
_OCCLUDED = 0.15


@dataclass(frozen=True)
class Sitting:
    """What the pictures of one person with one expression have in common."""

    pose: Pose
    light: Light
    #: shade of the wall, and what stands before it [N, 5]: centre, half-axes, shade
    wall: float
    clutter: NDArray[np.float64]
    #: how strongly each movement is made, 1 on average
    manner: Expression


def cartoon(subjects: int = 20, each: int = 5, seed: int = 0) -> FaceSet:
    """`subjects` drawn people with `each` pictures of every expression, the same for the same seed.

    Ids are 's01_happy_3'; more subjects or pictures leave the others as they are. No split of its own.
    """
    people = [_random_person(_generator(seed, subject)) for subject in range(subjects)]
    keys, images = [], []
    for subject, person in enumerate(people):
        for label, name in enumerate(EXPRESSIONS):
            sitting = _random_sitting(_generator(seed, subject, label))
            for take in range(each):
                keys.append((subject, label, take))
                images.append(_picture(person, _EXPRESSIONS[name], sitting, _generator(seed, subject, label, take)))
    return FaceSet(
        name="cartoon",
        images=np.array(images, dtype=np.uint8).reshape(-1, 1, SIDE, SIDE),
        labels=np.array([label for _, label, _ in keys], dtype=np.int64),
        classes=EXPRESSIONS,
        ids=tuple(f"s{subject + 1:02}_{EXPRESSIONS[label]}_{take + 1}" for subject, label, take in keys),
        subjects=tuple(f"s{subject + 1:02}" for subject, _, _ in keys),
    )


def _generator(*key: int) -> Generator:
    """A generator for this key, independent of those of other keys.

    NumPy takes a short key for a longer one that ends in zeros, so no part of a key is zero here.
    """
    return np.random.default_rng([number + 1 for number in key])


def _random_person(draws: Generator) -> Person:
    return Person(
        width=draws.uniform(0.68, 0.86),
        squareness=draws.uniform(1.9, 2.7),
        skin=draws.uniform(105, 210),
        hair=float(np.clip(draws.choice([25, 50, 90, 160, 225]) + draws.uniform(-15, 15), 10, 240)),
        hairline=draws.uniform(-0.85, -0.5),
        hair_length=draws.choice([-0.5, -0.1, 0.6, 1.2]),
        brow_height=draws.uniform(-0.37, -0.3),
        brow_width=draws.uniform(0.065, 0.115),
        brow_arch=draws.uniform(0.0, 0.1),
        brow_shade=draws.uniform(0.25, 0.55),
        eye_distance=draws.uniform(0.3, 0.37),
        eye_width=draws.uniform(0.145, 0.19),
        eye_height=draws.uniform(0.07, 0.105),
        nose_length=draws.uniform(0.18, 0.32),
        nose_width=draws.uniform(0.09, 0.17),
        mouth_height=draws.uniform(0.47, 0.56),
        mouth_width=draws.uniform(0.26, 0.36),
        lip_width=draws.uniform(0.06, 0.1),
        lip_shade=draws.uniform(0.35, 0.55),
        moustache=draws.uniform(0.4, 0.9) * (draws.random() < 0.2),
        beard=draws.uniform(0.2, 0.8) * (draws.random() < 0.25),
        folds=draws.uniform(0.05, 0.2) * (draws.random() < 0.3),
        glasses=bool(draws.random() < 0.25),
        resting=Expression(inner=draws.normal(0, 0.025), outer=draws.normal(0, 0.025), smile=draws.normal(0, 0.025)),
    )


def _random_sitting(draws: Generator) -> Sitting:
    pose = Pose(
        tilt=float(np.clip(draws.normal(0, 4), -10, 10)),
        turn=float(np.clip(draws.normal(0, 7), -18, 18)),
        nod=float(np.clip(draws.normal(0, 4), -10, 10)),
        scale=draws.uniform(1.06, 1.2),
        shift=(draws.uniform(-0.05, 0.05), draws.uniform(-0.05, 0.05)),
    )
    clutter = draws.uniform((-1.3, -1.3, 0.1, 0.1, 20), (1.3, 1.3, 0.8, 0.8, 235), (draws.integers(3), 5))
    manner = {field.name: draws.uniform(0.85, 1.2) for field in fields(Expression)}
    return Sitting(pose, random_light(draws), draws.uniform(30, 225), clutter, Expression(**manner))


def _picture(person: Person, full: Expression, sitting: Sitting, draws: Generator) -> NDArray[np.uint8]:
    """One face [48, 48]: head held and lit a little differently in each picture of a sitting, some partly hidden."""
    about = sitting.pose
    pose = Pose(
        tilt=about.tilt + draws.normal(0, 2),
        turn=about.turn + draws.normal(0, 3),
        nod=about.nod + draws.normal(0, 2),
        scale=about.scale * draws.uniform(0.97, 1.03),
        shift=(about.shift[0] + draws.normal(0, 0.02), about.shift[1] + draws.normal(0, 0.02)),
    )
    pen = Pen(sitting.wall, pose, person.width)
    for x, y, width, height, shade in sitting.clutter:
        pen.fill(oval(x, y, width, height, 4), shade)
    draw_head(pen, person, _act(person, full, sitting.manner, draws))
    if draws.random() < _OCCLUDED:
        draw_occlusion(pen, person, draws)
    return take_picture(pen.pixels(SIDE), sitting.light, draws)


def _act(person: Person, full: Expression, manner: Expression, draws: Generator) -> Expression:
    """The expression that one picture shows: the face at rest, plus every movement as strong as in this sitting, all of
    them stronger or weaker in this picture, and each a little off."""
    strength = draws.uniform(0.8, 1.25)
    moved = {}
    for field in fields(full):
        rest, whole, measure = (getattr(expression, field.name) for expression in (person.resting, full, manner))
        moved[field.name] = rest + whole * measure * strength * draws.uniform(0.9, 1.1)
    for name in ("inner", "outer", "smile"):
        moved[name] += draws.normal(0, 0.012)
    return Expression(**moved)

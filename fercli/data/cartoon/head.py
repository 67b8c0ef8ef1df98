"""A drawn head: what differs between people, what an expression moves, and how both look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.data.cartoon.drawing import Outline, Pen, oval


@dataclass(frozen=True)
class Expression:
    """How far a face is from a level one, in head half-heights unless said otherwise."""

    #: inner and outer ends of the brows, upwards
    inner: float = 0.0
    outer: float = 0.0
    #: fraction by which the eyes are more open
    open_eyes: float = 0.0
    #: corners of the mouth, upwards
    smile: float = 0.0
    #: fraction by which the mouth is wider
    wide: float = 0.0
    #: height of the open mouth
    gap: float = 0.0
    #: fraction of the open mouth that shows teeth
    teeth: float = 0.0
    #: upper lip upwards and nose wrinkled; 1 in full
    sneer: float = 0.0


@dataclass(frozen=True)
class Person:
    """What stays the same in all pictures of a person; lengths in head half-heights, shades of 0 to 255."""

    width: float
    squareness: float
    skin: float
    hair: float
    hairline: float
    hair_length: float
    brow_height: float
    brow_width: float
    brow_arch: float
    #: of the skin's shade, as is the lips'
    brow_shade: float
    eye_distance: float
    eye_width: float
    eye_height: float
    nose_length: float
    nose_width: float
    mouth_height: float
    mouth_width: float
    lip_width: float
    lip_shade: float
    #: how far the shade of moustache and beard is from the skin's to the hair's; 0 is shaven
    moustache: float
    beard: float
    #: how much darker than the skin the folds from nose to mouth are, as a fraction; 0 is smooth
    folds: float
    glasses: bool
    #: the face at rest, which is rarely quite level
    resting: Expression


def draw_head(pen: Pen, person: Person, acted: Expression) -> None:
    """The whole head, from back to front. Coordinates: head's middle (0, 0), chin (0, 1), downwards positive."""
    skin, hair = person.skin, person.hair
    head = oval(0, 0, person.width, 1, person.squareness)
    if person.hair_length > 0:
        pen.fill(oval(0, person.hair_length / 2 - 0.5, person.width * 1.2, 0.65 + person.hair_length / 2, 2.6), hair)
    pen.fill(oval(0, 1.45, 0.4, 0.7, 3), skin * 0.8)
    for side in (-1, 1):
        pen.fill(oval(side * person.width, 0, 0.1, 0.2), skin * 0.9)
    pen.fill(head, skin)
    _beard(pen, person)
    _hair(pen, person)
    for side in (-1, 1):
        _brow(pen, person, acted, side)
        _eye(pen, person, acted, side)
        if person.glasses:
            pen.line(oval(side * person.eye_distance, -0.1, 0.27, 0.2, 3), 40, 0.03, on_face=True, closed=True)
    _nose(pen, person, acted)
    _mouth(pen, person, acted)


def _hair(pen: Pen, person: Person) -> None:
    """A cap over the head down to the hairline."""
    cap = oval(0, -0.04, person.width * 1.1, 1.06, person.squareness)
    cap = cap[cap[:, 1] < max(person.hairline, min(person.hair_length, -0.1))]
    edge = np.array([[-person.width * 0.8, person.hairline], [person.width * 0.8, person.hairline]])
    left_to_right = cap[np.argsort(cap[:, 0])]
    pen.fill(np.concatenate((left_to_right, edge[::-1])), person.hair)


def _beard(pen: Pen, person: Person) -> None:
    """From cheek to cheek around the chin; mouth and upper lip stay free."""
    if not person.beard:
        return
    head = oval(0, 0, person.width, 1, person.squareness)
    around = head[head[:, 1] > 0.25]
    around = around[np.argsort(around[:, 0])]
    inside = around * (0.72, 0.55) + (0, 0.1)
    pen.fill(np.concatenate((around, inside[::-1])), _grown(person, person.beard))


def _grown(person: Person, fraction: float) -> float:
    """The shade of hair through which the skin shows."""
    return person.skin + (person.hair - person.skin) * fraction


def _brow(pen: Pen, person: Person, acted: Expression, side: int) -> None:
    along = np.linspace(-1, 1, 7)
    middle = person.brow_height - (acted.inner + acted.outer) / 2
    slope = (acted.inner - acted.outer) / 2
    heights = middle + slope * along - person.brow_arch * (1 - along**2)
    positions = side * (person.eye_distance + 0.01 + 1.25 * person.eye_width * along)
    shade = person.skin * person.brow_shade
    pen.line(np.stack((positions, heights), axis=1), shade, person.brow_width, on_face=True)


def _eye(pen: Pen, person: Person, acted: Expression, side: int) -> None:
    """The white between the lids, the iris as far as the lids let it show, the upper lid's line."""
    along = np.linspace(-1, 1, 13)
    x, y = side * person.eye_distance, -0.1
    height = person.eye_height * max(0.15, 1 + acted.open_eyes)
    upper = np.stack((x + person.eye_width * along, y - height * (1 - along**2)), axis=1)
    lower = np.stack((x + person.eye_width * along, y + 0.8 * height * (1 - along**2)), axis=1)
    pen.fill(np.concatenate((upper, lower[::-1])), 240, on_face=True)
    iris = oval(x, y, 0.085, 0.085)
    lids = 1 - ((iris[:, 0] - x) / person.eye_width) ** 2
    iris[:, 1] = np.clip(iris[:, 1], y - height * lids, y + 0.8 * height * lids)
    pen.fill(iris, 25, on_face=True)
    pen.line(upper, 40, 0.035, on_face=True)


def _nose(pen: Pen, person: Person, acted: Expression) -> None:
    """Tip and wings; a sneer wrinkles the bridge and draws folds from nose to mouth, as age may have done before."""
    tip = person.nose_length - 0.05 * acted.sneer
    wings = np.array([(-1.0, -0.05), (-0.6, 0.02), (0.0, 0.04), (0.6, 0.02), (1.0, -0.05)])
    pen.line(wings * (person.nose_width, 1) + (0, tip), person.skin * 0.62, 0.045, on_face=True)
    wrinkles = 0.45 * min(acted.sneer, 1)
    if wrinkles > 0:
        for height in (-0.12, -0.02):
            bridge = np.array([(-0.1, height), (0, height - 0.04), (0.1, height)])
            pen.line(bridge, person.skin * (1 - wrinkles), 0.045, on_face=True)
    folds = max(person.folds, wrinkles)
    if folds > 0:
        for side in (-1, 1):
            fold = np.array([(0.16, tip - 0.06), (0.27, tip + 0.06), (0.36, tip + 0.24)])
            pen.line(fold * (side, 1), person.skin * (1 - folds), 0.05, on_face=True)


def _mouth(pen: Pen, person: Person, acted: Expression) -> None:
    """Upper and lower lip as curves between the corners; between them the dark of the mouth and the teeth."""
    along = np.linspace(-1, 1, 15)
    bow = 1 - along**2
    across = person.mouth_width * (1 + acted.wide) * along
    middle = person.mouth_height + acted.smile * (bow - 0.6)
    upper = middle - 0.4 * acted.gap * np.sqrt(bow) - 0.085 * acted.sneer * bow
    lower = middle + 0.6 * acted.gap * np.sqrt(bow)
    lip = person.skin * person.lip_shade
    if person.moustache:
        above = np.stack((across * 1.05, upper - 0.09), axis=1)[2:-2]
        pen.line(above, _grown(person, person.moustache), 0.1, on_face=True)
    if acted.gap > 0:
        pen.fill(_between(across, upper, lower), 25, on_face=True)
        bite = upper + np.clip(acted.teeth, 0, 1) * (lower - upper)
        pen.fill(_between(across, upper, bite), 245, on_face=True)
    for curve in (upper, lower):
        pen.line(np.stack((across, curve), axis=1), lip, person.lip_width, on_face=True)


def _between(across: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64]) -> Outline:
    """The outline of what lies between two curves."""
    return np.concatenate((np.stack((across, upper), axis=1), np.stack((across, lower), axis=1)[::-1]))

"""What hides part of a drawn face: dark glasses, a scarf, a hand, strands of hair."""

import numpy as np
from numpy.random import Generator

from fercli.data.cartoon.drawing import Pen, oval
from fercli.data.cartoon.head import Person


def draw_occlusion(pen: Pen, person: Person, draws: Generator) -> None:
    """One of them, each as often as another, over a head that is drawn already."""
    (_glasses, _scarf, _hand, _strands)[draws.integers(4)](pen, person, draws)


def _glasses(pen: Pen, person: Person, draws: Generator) -> None:
    shade, height = draws.uniform(15, 60), draws.uniform(0.13, 0.19)
    pen.line(np.array([(-person.width, -0.14), (person.width, -0.14)]), shade, 0.05, on_face=True)
    for side in (-1, 1):
        pen.fill(oval(side * person.eye_distance, -0.08, 0.26, height, 3), shade, on_face=True)


def _scarf(pen: Pen, person: Person, draws: Generator) -> None:
    """Around the neck and over the chin, sometimes up to the lower lip, higher on one side."""
    shade, top, slope = draws.uniform(20, 235), draws.uniform(0.55, 0.8), draws.uniform(-0.15, 0.15)
    wide = person.width * 1.15
    pen.fill(np.array([(-wide, top - slope), (0, top + 0.05), (wide, top + slope), (wide, 2), (-wide, 2)]), shade)


def _hand(pen: Pen, person: Person, draws: Generator) -> None:
    """Four fingers laid from one side on cheek or chin, or held before the mouth's corner."""
    side, shade = draws.choice((-1, 1)), person.skin * draws.uniform(0.8, 1.1)
    tip, height = draws.uniform(0.15, 0.5), draws.uniform(0.1, 0.75)
    for finger in range(4):
        y = height + 0.15 * finger
        reach = side * (tip + 0.05 * abs(finger - 1.3))
        for width, tone in ((0.16, 0.7), (0.12, 1)):
            pen.line(np.array([(reach, y), (side * 1.6, y + 0.35)]), shade * tone, width)


def _strands(pen: Pen, person: Person, draws: Generator) -> None:
    """From the hairline down across one brow and eye."""
    side, start = draws.choice((-1, 1)), draws.uniform(-0.1, 0.3)
    for strand in range(int(draws.integers(3, 7))):
        top, bottom = start + 0.09 * strand, start + 0.12 * strand + draws.uniform(0, 0.2)
        points = np.array([(top, person.hairline), (bottom, -0.3), (bottom + 0.05, draws.uniform(-0.1, 0.2))])
        pen.line(points * (side, 1), person.hair, draws.uniform(0.03, 0.07), on_face=True)

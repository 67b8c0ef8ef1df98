"""The colours of the expressions: the same in timelines, on annotated pictures and in reports."""

from collections.abc import Sequence

#: Hues as people expect them, chosen for distance: any two of the seven expressions' differ by more than 0.1 in OKLab,
#: also as they look without red, green or blue cones. Each is seen on white and on near black. A test measures both.
EXPRESSION_COLOURS = {
    "angry": "#982d27",
    "disgust": "#25dec5",
    "fear": "#8122be",
    "happy": "#e8c404",
    "sad": "#798dea",
    "surprise": "#bb7421",
    "neutral": "#7b7376",
    "contempt": "#ff87a5",
    "unsure": "#c3c7cc",
}
_OTHERS = ("#35978f", "#c51b7d", "#1b7837", "#67a9cf", "#4d4d4d", "#dfc27d")
_BLACK, _WHITE = "#000000", "#ffffff"


def colours(labels: Sequence[str]) -> list[str]:
    """A colour '#rrggbb' for each label: an expression's own, for others one after another of some others."""
    others = iter(_OTHERS * (1 + len(labels) // len(_OTHERS)))
    return [EXPRESSION_COLOURS.get(name) or next(others) for name in labels]


def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour '#rrggbb': the contrast is 4.5 or more (WCAG 2)."""
    return max(_BLACK, _WHITE, key=lambda ink: contrast(ink, colour))


def contrast(first: str, second: str) -> float:
    """The contrast of two colours '#rrggbb', 1 to 21, as WCAG 2 defines it."""
    darker, lighter = sorted(_luminance(colour) for colour in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance, 0 to 1."""
    channels = (value / 255 for value in bytes.fromhex(colour[1:]))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

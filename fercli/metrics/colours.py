"""One colour for each expression, the same in every picture."""

#: Told apart in gray and without red or green too: neighbours differ in lightness.
EXPRESSION_COLOURS = {
    "angry": "#b2182b",
    "disgust": "#7fae3f",
    "fear": "#542788",
    "happy": "#f4c430",
    "sad": "#2166ac",
    "surprise": "#ef8a47",
    "neutral": "#ced4da",
    "contempt": "#8c510a",
}
_OTHERS = ("#35978f", "#c51b7d", "#1b7837", "#67a9cf", "#4d4d4d", "#dfc27d")


def colours(classes: tuple[str, ...]) -> list[str]:
    """A colour for each class: an expression's own, for other classes one after another of some others."""
    others = iter(_OTHERS * (1 + len(classes) // len(_OTHERS)))
    return [EXPRESSION_COLOURS.get(name) or next(others) for name in classes]

"""The seven expressions, their order, and the other names they go by; and what the splits of a set are called."""

from collections.abc import Iterable

from fercli.core.text import to_printable

#: FER2013's classes in FER2013's order; index i is label i everywhere in this project.
EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

#: The splits of every set: what is trained on, what chooses the epoch, what is measured.
SPLITS = ("train", "val", "test")

#: The other names of each expression, and of contempt, which FER+ and CK+ have.
OTHER_NAMES = {
    "angry": ("anger", "angriness", "an", "ang"),
    "disgust": ("disgusted", "di", "dis"),
    "fear": ("fearful", "afraid", "scared", "fea"),
    "happy": ("happiness", "happily", "joy", "joyful", "smile", "hap"),
    "sad": ("sadness", "unhappy", "sa"),
    "surprise": ("surprised", "surprising", "su", "sur"),
    "neutral": ("neutrality", "normal", "calm", "ne", "neu"),
    "contempt": ("contemptuous", "con"),
}
_CANONICAL = {other: name for name, others in OTHER_NAMES.items() for other in (name, *others)}


def canonical(name: str) -> str:
    """The project's word for a class name: case, blanks and synonyms folded ('Anger ' → 'angry').

    A name that is not an expression comes back in lower case, its control characters replaced, otherwise unchanged.
    """
    plain = to_printable(name.strip()).lower()
    return _CANONICAL.get(plain, plain)


def is_expression(name: str) -> bool:
    """Whether a class name, or a synonym of it, is one of the seven expressions or contempt."""
    return name.strip().lower() in _CANONICAL


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in the project's order: the seven as FER2013 has them, then the others by alphabet."""
    unique = set(names)
    known = tuple(name for name in EXPRESSIONS if name in unique)
    return known + tuple(sorted(unique.difference(EXPRESSIONS)))

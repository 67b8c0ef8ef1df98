"""Numbers and nouns as messages write them."""


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: '1 face', '1,234 faces', '2 people' with a plural of its own."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

"""Parts of a job that are told apart by number alone, for queues that start a command many times."""

import re

from fercli.core.errors import UsageError


def parse_shard(text: str) -> tuple[int, int]:
    """'2/3' as (2, 3): the second of three shards. Raises UsageError for another form."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise UsageError(f"--shard {text}: write it as I/N with I from 1 to N, e.g. --shard 1/4")
    return number, count

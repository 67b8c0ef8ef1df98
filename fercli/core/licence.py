"""On what terms the weights that ship may be used, as models.yaml says it."""

from typing import Annotated

from pydantic import Field

from fercli.core.recipe import Settings


class Licence(Settings):
    """The licence of weights. It covers the rights of those who made them, not those in the pictures behind them."""

    #: its short name in the list of SPDX, 'MIT'
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]*$", max_length=60)]
    #: where its text stands in the repository
    file: str
    #: the sets, by the names of `fer data list`, that the weights were trained on
    data: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """What it allows and what it leaves open, in words."""
        text, sets = f"{self.name} ({self.file})", " and ".join(self.data)
        if not sets:
            return text
        return (
            f"{text}. It covers what we can grant. The weights were trained on {sets}, whose pictures are for research "
            "and belong to others: whether that limits other uses of the weights, we do not know"
        )

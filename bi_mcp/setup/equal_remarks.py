"""Pure: remarks that are alike for many datasets, summed up: among hundreds of equal ones nobody sees the one that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bi_mcp.base.language import say

MOST_ALIKE = 3


@dataclass(frozen=True)
class Remark:
    """A sentence about a dataset. `gist` is what it has in common with those about others, empty for all of it."""

    text: str
    gist: str = ""

    @property
    def common(self) -> str:
        """What is said of all the datasets together."""
        return self.gist or self.text


def sum_up(remarks: Mapping[str, Sequence[Remark]]) -> tuple[dict[str, list[str]], list[str]]:
    """The remarks of each dataset that are its own, and one for all those that more datasets share than can be read."""
    sharing = dict[str, list[str]]()
    for name, lines in remarks.items():
        for common in dict.fromkeys(line.common for line in lines):
            sharing.setdefault(common, []).append(name)
    many = {common: names for common, names in sharing.items() if len(names) > MOST_ALIKE}
    single = {
        name: own
        for name, lines in remarks.items()
        if (own := [line.text for line in lines if line.common not in many])
    }
    return single, [
        say("{count} datasets, such as {name}: {remark}", count=len(names), name=names[0], remark=common)
        for common, names in many.items()
    ]

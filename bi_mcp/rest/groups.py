"""The three groups of objects, and which belongs to which. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Group = Literal["connector", "source", "dataset"]
GROUPS: tuple[Group, ...] = ("connector", "source", "dataset")

# The group that an object belongs to, and the field that names the owner.
PARENTS: Mapping[Group, tuple[Group, str]] = {
    "source": ("connector", "connectorId"),
    "dataset": ("source", "sourceId"),
}


def parse_group(text: object) -> Group:
    """Read a group's name. Raises `ValueError` for another."""
    for group in GROUPS:
        if group == text:
            return group
    raise ValueError("no group of objects")

"""The views of tools: HTML documents that clients with the Apps extension show to people. Others show the text.

A view is one document without anything from outside. What all have in common, the frame, is written into each as it is read.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from typing import NamedTuple

from mcp.server.apps import Apps

# Where the common parts go: in a comment of each language, so that a view without them is still valid.
PARTS = {"/* frame.css */": "frame.css", "/* frame.js */": "frame.js"}


class View(NamedTuple):
    """A view: its tool, the file, and how clients list it."""

    tool: str
    file: str
    title: str
    description: str

    @property
    def address(self) -> str:
        """The address of the view as a resource."""
        return f"ui://bi-mcp/{self.file}"


MAP = View("portal_map", "map.html", "Map of the portal", "The answer of portal_map as a picture")
PROFILE = View(
    "dataset_profile", "profile.html", "Profile of a dataset", "The answer of dataset_profile as a picture"
)
VIEWS = (MAP, PROFILE)


def read_view(view: View) -> str:
    """Read a view's document, with the frame in it."""
    document = _read(view.file)
    for mark, part in PARTS.items():
        document = document.replace(mark, _read(part))
    return document


def build_views(tools: Collection[str]) -> list[Apps]:
    """Build the extension that brings the views of these tools; nothing where none of them has one."""
    offered = [view for view in VIEWS if view.tool in tools]
    if not offered:
        return []
    apps = Apps()
    for view in offered:
        apps.add_html_resource(
            view.address,
            read_view(view),
            name=f"{view.tool}_view",
            title=view.title,
            description=view.description,
            prefers_border=True,
        )
    return [apps]


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")

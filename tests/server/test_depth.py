"""The files and frames of ours that a tool call passes, from the server's first function down to the POST and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from mcp import Client

import bi_mcp
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.run import build_portal
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.gather import gather_patiently
from bi_mcp.rest.rate_limit import Limiter
from bi_mcp.rest.request import build_stack
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

# A newcomer reads these to follow one call. Lower the numbers with every file and frame that goes: set them to 0, and the
# failure lists the functions and the deepest stack.
MOST_FILES = 43
MOST_FRAMES = 13

PACKAGE = Path(bi_mcp.__file__).parent
PRACTICE = PACKAGE / "practice"
# Part of the function around them, and frames in some versions of Python only.
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


@dataclass
class CallPath:
    """The functions of ours that ran, and the deepest stack of them; those of the practice portal do not count."""

    functions: set[CodeType] = field(default_factory=set)
    deepest: list[CodeType] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        return {function.co_filename for function in self.functions}

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not is_ours(frame.f_code):
            return
        self.functions.add(frame.f_code)
        stack = [code for code in codes(frame) if is_ours(code)]
        if len(stack) > len(self.deepest):
            self.deepest = stack

    def __str__(self) -> str:
        return "\n".join([*sorted(map(place, self.functions)), "Deepest:", *map(place, self.deepest[::-1])])


def is_ours(code: CodeType) -> bool:
    path = Path(code.co_filename)
    return (
        path.is_relative_to(PACKAGE)
        and not path.is_relative_to(PRACTICE)
        and code.co_name not in COMPREHENSIONS
    )


def codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def place(code: CodeType) -> str:
    return f"{Path(code.co_filename).relative_to(PACKAGE)}:{code.co_firstlineno} {code.co_qualname}"


def connect() -> BIConnector:
    """Reach a practice portal through all transports that stand before a real one."""
    token = Secret("token")
    http = HttpTransport(
        "http://localhost",
        AccessToken(token),
        app=build_portal(LocalPortalSettings(access_token=token)),
    )
    return BIConnector(build_stack(http, [partial(gather_patiently, limiter=Limiter())]))


async def test_a_read_passes_few_files_and_few_frames(settings: Settings) -> None:
    path = CallPath()
    async with Client(build_server(settings, connect=connect)) as client:
        talk = Talk(client)
        dataset = await talk.add_dataset(await talk.add_source(await talk.add_connector()))
        # What is imported and opened once is not part of the path.
        await talk.done("dataset_get", id=dataset)
        sys.setprofile(path.profile)
        try:
            await talk.done("dataset_get", id=dataset)
        finally:
            sys.setprofile(None)
    assert {str(PACKAGE / "server/tools/dataset.py"), str(PACKAGE / "rest/transport.py")} <= path.files
    assert len(path.files) <= MOST_FILES, str(path)
    assert len(path.deepest) <= MOST_FRAMES, str(path)

"""A task as data, and what its parts are made of: calls, answers, facts and checks."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from bi_mcp.base.language import Language
from evals.world import Build, World

_CONFIRM = re.compile(r'"confirm":\s*"([^"]+)"')
_JSON = re.compile(r"(?:(\w+): )?(\{.*\})")
_TOKEN = re.compile(r"token\W+([\w-]{10,})")


@dataclass(frozen=True)
class Call:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The text of a tool's answer, as a model reads it."""

    text: str

    @cached_property
    def data(self) -> dict[str, Any]:
        """The JSON in the text, under the name before it if there is one; empty without JSON."""
        for line in self.text.splitlines():
            if found := _JSON.fullmatch(line):
                content: dict[str, Any] = json.loads(found[2])
                return {found[1]: content} if found[1] else content
        return {}

    @property
    def confirm(self) -> str:
        """The token of a preview. Raises `LookupError` if the answer is not a preview."""
        return self._find(_CONFIRM)

    @property
    def token(self) -> str:
        """The token of a plan. Raises `LookupError` if the answer is not a plan."""
        return self._find(_TOKEN)

    def _find(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.text)
        if found is None:
            raise LookupError(f"Something else was expected: {self.text[:300]}")
        return found[1]


Steps: TypeAlias = Generator[Call, Answer, str]


@dataclass(frozen=True)
class Known:
    """What a scripted solution knows: the world, whose ids any list would tell, and the tools that are offered."""

    world: World
    tools: Mapping[str, Mapping[str, Any]]

    def id(self, name: str) -> int:
        """Return the id of an object of the first portal by its title or name."""
        return self.world.portal.ids[name]

    def takes(self, tool: str, argument: str) -> bool:
        """Check whether a tool is offered and has this argument."""
        return argument in self.tools.get(tool, {}).get("inputSchema", {}).get("properties", {})


Script: TypeAlias = Callable[[Known], Steps]
Check: TypeAlias = Callable[[World], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class Fact:
    """Something that the answer must tell: one of the patterns, whatever the wording around it."""

    what: str
    patterns: tuple[str, ...]

    def is_told(self, answer: str) -> bool:
        """Check whether the answer tells it."""
        return any(re.search(pattern, answer, re.IGNORECASE) for pattern in self.patterns)


@dataclass(frozen=True)
class Task:
    """A task. `says` may name addresses of the world in braces.

    `calls` is what a well-informed person needs with the tools of today. `may_change` names objects as `dataset orders`;
    `may_add` names kinds. Everything else must stay as it was. `tempting` is a plausible wrong solution, which must fail. `settings` are of the server, beside those of the world.
    """

    name: str
    language: Language
    says: str
    build: Build
    solve: Script
    calls: int
    facts: tuple[Fact, ...] = ()
    check: Check | None = None
    may_change: tuple[str, ...] = ()
    may_add: tuple[str, ...] = ()
    vague: bool = False
    tempting: Script | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def message(self, world: World) -> str:
        """Return what the user says in this world."""
        return self.says.format_map(world.addresses)


def call(tool: str, **arguments: Any) -> Call:
    """Make a call as a script writes it."""
    return Call(tool, arguments)


def confirmed(tool: str, **arguments: Any) -> Generator[Call, Answer, Answer]:
    """Call a tool that answers with a preview first, and confirm it."""
    preview = yield Call(tool, arguments)
    done = yield Call(tool, {**arguments, "confirm": preview.confirm})
    return done


def add_like(known: Known, source: str, table: str, like: str, name: str) -> Generator[Call, Answer, Answer]:
    """Add a dataset over another table, with the columns of an existing one."""
    if known.takes("dataset_propose", "like"):
        proposed = yield call("dataset_propose", source=source, table=table, like=like)
        fields = {**proposed.data["fields"], "name": name}
    else:
        found = yield call("dataset_get", id=known.id(like))
        columns = [
            {key: column[key] for key in ("name", "externalCode", "type")}
            for column in found.data["item"]["fields"]
        ]
        table_fields = {"externalCode": table, "externalName": table, "fields": columns}
        fields = {"name": name, "sourceId": known.id(source), **table_fields}
    added = yield call("dataset_add", fields=fields)
    return added


def fact(what: str, *patterns: str) -> Fact:
    """Make a fact; the patterns are regular expressions without regard to capitals."""
    return Fact(what, patterns)

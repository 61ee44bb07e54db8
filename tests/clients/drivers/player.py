"""Plays a journey (see tests/clients/journey.py) with any Python client. Runs without bi-mcp, in the client's own environment."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Protocol


class Client(Protocol):
    """What a driver gives of its client: names and addresses of what is listed (of prompts with their arguments), and the use of one."""

    async def tools(self) -> list[str]: ...
    async def resources(self) -> list[str]: ...
    async def templates(self) -> list[str]: ...
    async def prompts(self) -> dict[str, list[str]]: ...
    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]: ...
    async def read(self, uri: str) -> list[str]: ...
    async def prompt(self, name: str, arguments: dict[str, str]) -> list[Any]: ...
    async def complete(self, ref: dict[str, str], argument: dict[str, str]) -> list[str]: ...


def filled(value: Any, kept: dict[str, Any]) -> Any:
    """Put what was kept in the place of `$name`."""
    if isinstance(value, dict):
        return {key: filled(item, kept) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, kept) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\$[a-z]+", value):
        return kept[value[1:]]
    return value


def picked(content: Any, path: str) -> Any:
    for step in path.split("."):
        content = content[int(step) if step.isdigit() else step]
    return content


async def play(client: Client, task: dict[str, Any]) -> dict[str, Any]:
    """Return what was listed and what was used; any refusal ends the journey."""
    prompts = await client.prompts()
    report: dict[str, Any] = {
        "tools": await client.tools(),
        "resources": await client.resources(),
        "templates": await client.templates(),
        "prompts": list(prompts),
        "called": [],
        "read": [],
        "got": [],
        "completed": [],
    }
    kept: dict[str, Any] = {}
    for step in task["journey"]:
        if "uri" in step:
            uri = re.sub(r"\$([a-z]+)", lambda name: str(kept[name[1]]), step["uri"])
            await read(client, uri, report)
            continue
        if "ref" in step:
            await complete(client, filled(step, kept), report)
            continue
        content = await client.call(step["tool"], filled(step["arguments"], kept))
        report["called"].append(step["tool"])
        kept.update({name: picked(content, path) for name, path in step["keep"].items()})
    for uri in report["resources"]:
        await read(client, uri, report)
    for name, arguments in prompts.items():
        given = {argument: "ru" if argument == "language" else "1" for argument in arguments}
        if not await client.prompt(name, given):
            raise SystemExit(f"{name} has no message")
        report["got"].append(name)
    return report


async def complete(client: Client, step: dict[str, Any], report: dict[str, Any]) -> None:
    ref = step["ref"]
    kind = {"type": "ref/resource", "uri": ref} if "://" in ref else {"type": "ref/prompt", "name": ref}
    offers = await client.complete(kind, {"name": step["argument"], "value": ""})
    if str(step["offers"]) not in offers:
        raise SystemExit(f"{ref}: {step['offers']} is not among the offers {offers}")
    report["completed"].append(ref)


async def read(client: Client, uri: str, report: dict[str, Any]) -> None:
    if not await client.read(uri):
        raise SystemExit(f"{uri} is empty")
    report["read"].append(uri)


def given_task() -> dict[str, Any]:
    task: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return task


def tell(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report))

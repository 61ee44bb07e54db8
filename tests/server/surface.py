"""What the model sees of each tool, at the last release and now, and whether the changelog tells the difference.

`python -m tests.server.surface` (`make surface`) keeps the present one as that of the release that the changelog begins with.
With a folder, such as `tests/server/contract` of another branch, it prints the differences from it and writes nothing. Needs the standard library only.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONTRACT = Path(__file__).with_name("contract")
RELEASED = Path(__file__).with_name("released_surface.json")
UNRELEASED = "(unreleased)"
_SECTION = re.compile(r"^## (\S+)(.*)$", re.MULTILINE)

Surface = Mapping[str, Mapping[str, Any]]
"""Tool -> its contract, as `contract/` holds it."""


@dataclass(frozen=True)
class Change:
    """What became of a tool. `breaks`: a call that was right may be wrong now."""

    tool: str
    what: str
    breaks: bool = False


@dataclass(frozen=True)
class Section:
    """What the changelog says of one version. An entry is a point of the list with its further lines."""

    version: str
    is_released: bool
    entries: tuple[str, ...]


def current_surface() -> Surface:
    return read_surface(CONTRACT)


def read_surface(folder: Path) -> Surface:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


def sections(changelog: str) -> list[Section]:
    """The newest version first."""
    _, *parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)
    return [_section(part) for part in parts]


def _section(text: str) -> Section:
    heading = _SECTION.match(text)
    assert heading
    entries = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    return Section(heading[1], UNRELEASED not in heading[2], tuple(entries))


def released_version(changelog: str) -> str | None:
    """The newest version that is released; None before the first release."""
    return next((section.version for section in sections(changelog) if section.is_released), None)


def changes(before: Surface, after: Surface) -> list[Change]:
    """What became of every tool that is not as it was."""
    found = [Change(name, "is gone", breaks=True) for name in before.keys() - after.keys()]
    found += [Change(name, "is new") for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        if before[name] == after[name]:
            continue
        broken = list(narrowed(before[name]["inputSchema"], after[name]["inputSchema"]))
        found += [Change(name, what, breaks=True) for what in broken] or [Change(name, "is changed")]
    return sorted(found, key=lambda change: (change.tool, change.what))


def narrowed(before: Mapping[str, Any], after: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """What a value may have been and may not be any more, by JSON Schema."""
    here = f" of {where}" if where else ""
    old, new = before.get("properties", {}), after.get("properties", {})
    yield from (f"has lost {_inside(where, name)}" for name in old.keys() - new.keys())
    demanded = set(after.get("required", ())) - set(before.get("required", ()))
    yield from (f"now requires {_inside(where, name)}" for name in demanded)
    if types(before) - types(after):
        yield f"takes fewer types{here}"
    for rule in after.keys() & RULES.keys():
        if RULES[rule](before.get(rule), after[rule]):
            yield f"takes fewer values{here}: {rule}"
    for name in old.keys() & new.keys():
        yield from narrowed(old[name], new[name], _inside(where, name))
    for part in ("items", "additionalProperties"):
        if isinstance(before.get(part), Mapping) and isinstance(after.get(part), Mapping):
            yield from narrowed(before[part], after[part], f"{where}[]")


def types(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema takes; without a word about it, all of them."""
    if "anyOf" in schema:
        return {kind for branch in schema["anyOf"] for kind in types(branch)}
    named = schema.get("type", ["string", "number", "integer", "boolean", "object", "array", "null"])
    kinds = {named} if isinstance(named, str) else set(named)
    return kinds | {"integer"} if "number" in kinds else kinds


# Keyword -> whether its new value, beside the old one or none, leaves something out.
RULES: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda old, new: old is None or bool(set(old) - set(new)),
    "const": lambda old, new: old != new,
    "pattern": lambda old, new: old != new,
    "additionalProperties": lambda old, new: new is False and old is not False,
    **dict.fromkeys(("minimum", "minLength", "minItems"), lambda old, new: old is None or new > old),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), lambda old, new: old is None or new < old),
}


def untold(found: list[Change], entries: tuple[str, ...]) -> list[str]:
    """What no entry names in backticks; what breaks calls needs an entry that says Breaking."""
    return [
        f"`{change.tool}` {change.what}: CHANGELOG.md needs an entry"
        f"{' with the word Breaking' if change.breaks else ''} that names `{change.tool}`"
        for change in found
        if not any(
            f"`{change.tool}`" in entry and (not change.breaks or "Breaking" in entry) for entry in entries
        )
    ]


def describe_changes(found: list[Change]) -> str:
    """Write the changes as Markdown, those that break calls first."""
    if not found:
        return "The tools are as before.\n"
    rows = [
        f"| `{change.tool}` | {change.what} | {'**yes**' if change.breaks else ''} |"
        for change in sorted(found, key=lambda change: not change.breaks)
    ]
    return "\n".join(["| tool | change | breaks calls |", "|---|---|---|", *rows]) + "\n"


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def write_released(version: str | None, surface: Surface) -> None:
    """One tool a line, so that a diff names them."""
    tools = [
        f"  {json.dumps(name)}: {json.dumps(surface[name], ensure_ascii=False)}" for name in sorted(surface)
    ]
    body = ",\n".join(tools)
    text = f'{{\n "version": {json.dumps(version)},\n "tools": {{\n{body}\n }}\n}}\n'
    RELEASED.write_text(text, encoding="utf-8")


def keep_released() -> None:
    newest = sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[0]
    if not newest.is_released:
        raise SystemExit(f"CHANGELOG.md calls {newest.version} {UNRELEASED}: put the day there first.")
    write_released(newest.version, current_surface())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        before = read_surface(Path(sys.argv[1]))
        sys.stdout.write(describe_changes(changes(before, current_surface())))
    else:
        keep_released()

"""A setup file, YAML or JSON <-> a `Setup`. Errors name file, line and column; comments survive a rewrite."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import SetupFileError
from bi_mcp.setup.document import OF_A_COMMAND, Bounds, at, find_places, read_document
from bi_mcp.setup.marked import Place, place_of
from bi_mcp.setup.setup import Setup, dangling

if TYPE_CHECKING:
    from ruamel.yaml import YAML

BYTE_ORDER_MARK = "\ufeff"
WINDOWS_END = "\r\n"

SCHEMA_FILE = "bi-mcp.schema.json"
HEADER = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"

MAX_PROBLEMS = 20

# Reporting each of so many would take more memory than the file.
MOST_TOLD_APART = 50_000

INDENT = 2

# From the setup down to a column or a parameter: group, key, list, element.
DEPTH_OF_LINES = 4

# sources, key, settings, code
LENGTH_OF_SETTING = 4

# A line's end that only YAML knows, and the signs of a key and of its value.
_MISREAD = re.compile(r"\x85|^[?:]")

Path = tuple[str | int, ...]
NO_REMARKS: Mapping[Path, Sequence[str]] = {}


def read_setup(text: str, name: str, bounds: Bounds = OF_A_COMMAND) -> Setup:
    """Read a setup. `name` is the file's name for errors. Raises `SetupFileError` with every problem and its place."""
    document, marked = read_document(text, name, bounds)
    try:
        setup = Setup.model_validate(document)
    except ValidationError as error:
        problems = _problems(error, name)
    else:
        problems = list(dangling(setup))
        if not problems:
            return setup
    raise _refusal(name, document if marked else find_places(text, name, bounds) or document, problems)


def write_setup(
    setup: Setup, existing: str | None = None, remarks: Mapping[Path, Sequence[str]] = NO_REMARKS
) -> str:
    """Write a setup as YAML. The comments and the order of an `existing` file stay where its entries do.

    `remarks` become comments of a new file, each before the entry at its path; those of `()` begin the file.
    """
    wanted = to_document(setup)
    if existing is None:
        document = _block_style(wanted)
        for path, lines in remarks.items():
            _comment(document, path, lines)
        return HEADER + "".join(f"# {_one_line(line)}\n" for line in remarks.get((), ())) + _dump(document)
    document = _yaml().load(existing.replace(WINDOWS_END, "\n"))
    _merge(document, wanted)
    return _as_before(existing, _dump(document))


def to_document(setup: Setup) -> dict[str, Any]:
    """The setup as plain data, in the order in which a person reads it, without fields at their default."""
    return setup.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _comment(document: Any, path: Path, lines: Sequence[str]) -> None:
    if not path:
        return
    *above, key = path
    for step in above:
        document = document[step]
    text = "\n".join(map(_one_line, lines))
    document.yaml_set_comment_before_after_key(key, before=text, indent=INDENT * len(above))


def _one_line(text: str) -> str:
    """A remark may quote what comes from outside: a line's end in it would begin an entry."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _as_before(existing: str, text: str) -> str:
    """The text with the line ends of the file and the mark at its beginning, which editors on Windows want to find again."""
    if existing.startswith(BYTE_ORDER_MARK) and not text.startswith(BYTE_ORDER_MARK):
        text = BYTE_ORDER_MARK + text
    if existing.count(WINDOWS_END) * 2 > existing.count("\n"):
        return text.replace("\n", WINDOWS_END)
    return text


def _yaml() -> YAML:
    # Imported here: a server needs it only for the tools of the workspace.
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.indent(mapping=INDENT, sequence=4, offset=2)
    yaml.preserve_quotes = True
    return yaml


def _problems(error: ValidationError, name: str) -> list[tuple[Path, str]]:
    if error.error_count() > MOST_TOLD_APART:
        raise SetupFileError(
            say(
                "{name}: {count} problems. This is not a setup file. Export one and change it.",
                name=name,
                count=error.error_count(),
            )
        ) from None
    found = error.errors(include_url=False, include_input=False, include_context=False)
    problems = ((problem["loc"], _reason(problem["type"], problem["msg"])) for problem in found)
    return list(dict.fromkeys(_setting(path) or (path, reason) for path, reason in problems))


def _setting(path: Path) -> tuple[Path, str] | None:
    """The place and the reason of an error inside the value of a setting. It has many forms, and pydantic would explain
    for each of them why it does not fit.
    """
    if path[:1] != ("sources",) or path[2:3] != ("settings",) or len(path) < LENGTH_OF_SETTING:
        return None
    forms = "{env: BI_MCP_SECRET_…}, {file: name} or {secret: name}"
    return path[:LENGTH_OF_SETTING], say(
        "a value is text, a whole number, or a reference such as {forms}", forms=forms
    )


def _reason(kind: str, message: str) -> str:
    words = {"missing": say("is missing"), "extra_forbidden": say("is unknown here")}
    return words.get(kind, message.removeprefix("Value error, "))


def _refusal(name: str, document: object, problems: Sequence[tuple[Path, str]]) -> SetupFileError:
    lines = [_tell(name, document, path, reason) for path, reason in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(say("and {count} more", count=len(problems) - MAX_PROBLEMS))
    return SetupFileError("\n".join(dict.fromkeys(lines)))


def _tell(name: str, document: object, path: Path, reason: str) -> str:
    steps, place = _walk(document, path)
    dotted = ".".join(map(str, steps)) or say("the setup")
    return (
        f"{at(name, place)}: {dotted} {reason}"
        if reason in {say("is missing"), say("is unknown here")}
        else f"{at(name, place)}: {dotted}: {reason}"
    )


def _walk(document: object, path: Path) -> tuple[Path, Place]:
    """Follow a path as far as it leads, and return the steps and the place where it ends. Union branches appear in it
    as names of types, which are not part of the file.
    """
    place, here, steps = Place(1, 1), document, list[str | int]()
    for step in path:
        if isinstance(here, Mapping | list):
            known = place_of(here, step)
            place = known or place
            steps.append(step)
            here = _step(here, step)
    return tuple(steps), place


def _step(here: Mapping[Any, Any] | list[Any], step: str | int) -> object:
    if isinstance(here, list):
        return here[step] if isinstance(step, int) and 0 <= step < len(here) else None
    return here.get(step)


def _dump(document: object) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _legible(scalar: Any) -> Any:
    """Quote a text that the writer would leave without quotes and the reader would then take for something else."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(scalar, str) and _MISREAD.search(scalar):
        return DoubleQuotedScalarString(scalar)
    return scalar


def _block_style(wanted: Any, depth: int = 0) -> Any:
    """Mappings over several lines, but a column or a parameter in one: a table is read line by line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(wanted, list):
        return CommentedSeq([_block_style(part, depth + 1) for part in wanted])
    if not isinstance(wanted, dict):
        return _legible(wanted)
    made = CommentedMap((_legible(key), _block_style(part, depth + 1)) for key, part in wanted.items())
    if depth >= DEPTH_OF_LINES:
        made.fa.set_flow_style()
    return made


def _merge(there: Any, wanted: Mapping[str, Any], depth: int = 0) -> None:
    """Make a mapping of the file equal to the wanted one, touching only the parts that differ."""
    for key in [key for key in there if key not in wanted]:
        del there[key]
    for key, value in wanted.items():
        held = there.get(key)
        if isinstance(held, Mapping) and isinstance(value, dict):
            _merge(held, value, depth + 1)
        elif isinstance(held, list) and isinstance(value, list):
            _merge_list(held, value, depth + 1)
        elif key not in there or held != value:
            there[key] = _block_style(value, depth + 1)


def _merge_list(there: Any, wanted: list[Any], depth: int) -> None:
    """Lines of a list are known again by their code or name."""
    known = {_name_of(part): part for part in there}
    lines = []
    for value in wanted:
        line = known.get(_name_of(value))
        if line is None:
            lines.append(_block_style(value, depth + 1))
            continue
        _merge(line, value, depth + 1)
        lines.append(line)
    if [id(line) for line in lines] != [id(part) for part in there]:
        there[:] = lines


def _name_of(part: Any) -> object:
    return part.get("externalCode") or part.get("code") if isinstance(part, Mapping) else part

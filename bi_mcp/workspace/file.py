"""A setup file, YAML or JSON <-> a `Setup`. Errors name file, line and column; comments survive a rewrite."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bi_mcp.errors import SetupFileError
from bi_mcp.foreign_json import whole_text
from bi_mcp.language import say
from bi_mcp.workspace.setup import Setup, dangling

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

SCHEMA_FILE = "bi-mcp.schema.json"
HEADER = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"

# A file of ten thousand datasets with thirty columns has some thirty megabytes; more is no setup.
MAX_BYTES = 64 * 1024 * 1024
MAX_PROBLEMS = 20
MAX_DEPTH = 40

# From the setup down to a column or a parameter: group, key, list, element.
DEPTH_OF_LINES = 4

# sources, key, settings, code
LENGTH_OF_SETTING = 4

# A line's end that only YAML knows, and the signs of a key and of its value.
_MISREAD = re.compile(r"\x85|^[?:]")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where something stands, counted from one."""

    line: int
    column: int


def read_setup(text: str, name: str) -> Setup:
    """Read a setup. `name` is the file's name for errors. Raises `SetupFileError` with every problem and its place."""
    if len(text) > MAX_BYTES:
        raise SetupFileError(
            say("{name}: a setup file has at most {max_bytes} characters.", name=name, max_bytes=MAX_BYTES)
        )
    document = _load(text, name)
    try:
        setup = Setup.model_validate(_plain(document, name, Place(1, 1), set()))
    except ValidationError as error:
        raise _refused(name, document, _problems(error)) from None
    problems = list(dangling(setup))
    if problems:
        raise _refused(name, document, problems)
    return setup


def write_setup(setup: Setup, existing: str | None = None) -> str:
    """Write a setup as YAML. The comments and the order of an `existing` file stay where its entries do."""
    wanted = to_document(setup)
    if existing is None:
        return HEADER + _dump(_block_style(wanted))
    document = _load(existing, "the existing file")
    _merge(document, wanted)
    return _dump(document)


def to_document(setup: Setup) -> dict[str, Any]:
    """The setup as plain data, in the order in which a person reads it, without what is left at its default."""
    return setup.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _load(text: str, name: str) -> Any:
    from ruamel.yaml.composer import ComposerError
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError

    try:
        document = _yaml().load(text)
    except DuplicateKeyError as error:
        # Its own text repeats the values.
        raise SetupFileError(
            say("{name}: this name stands there twice. Keep one.", name=_marked(name, error))
        ) from None
    except ComposerError as error:
        # A value that begins with `*` is an alias to YAML, and may be a password; its own text repeats it.
        raise SetupFileError(
            say("{name}: anchors are not read here. Write the part out.", name=_marked(name, error))
        ) from None
    except MarkedYAMLError as error:
        raise SetupFileError(
            say(
                "{name}: this is neither YAML nor JSON: {problem}.",
                name=_marked(name, error),
                problem=_one_line(error.problem),
            )
        ) from None
    except Exception as error:  # noqa: BLE001  tags and nesting that no setup has make the reader stumble over itself
        raise SetupFileError(
            say("{name}: this is neither YAML nor JSON ({kind}).", name=name, kind=type(error).__name__)
        ) from None
    if not isinstance(document, Mapping):
        raise SetupFileError(
            say("{name}:1:1: a setup is a mapping that begins with `version: 1`.", name=name)
        )
    return document


def _marked(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark
    return _at(name, Place(mark.line + 1, mark.column + 1)) if mark else name


def _one_line(text: str | None) -> str:
    return " ".join((text or "it ends too early").split())


def _yaml() -> YAML:
    # Imported here: a server needs it only for the tools of the workspace.
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.max_depth = MAX_DEPTH
    # Anchors are refused anyway, and the warning about a second one prints the lines around it.
    yaml.composer.warn_double_anchors = False
    return yaml


def _plain(node: object, name: str, place: Place, seen: set[int]) -> Any:
    """The document as JSON knows it. Anchors are refused: with them a few lines can stand for an endless document."""
    if not isinstance(node, Mapping | list):
        return _scalar(node, name, place)
    if id(node) in seen:
        raise SetupFileError(
            say("{name}: anchors are not read here. Write the part out.", name=_at(name, place))
        )
    seen.add(id(node))
    if isinstance(node, Mapping):
        return {
            whole_text(str(key)): _plain(part, name, _place(node, key) or place, seen)
            for key, part in node.items()
        }
    return [_plain(part, name, _place(node, index) or place, seen) for index, part in enumerate(node)]


def _scalar(node: object, name: str, place: Place) -> object:
    if node is None or isinstance(node, bool):
        return node
    if isinstance(node, str):
        return whole_text(node)
    # `0123` and `0x1F` are numbers to YAML and passwords to people.
    if isinstance(node, int) and type(node).__name__ == "int":
        return int(node)
    raise SetupFileError(
        say(
            "{name}: this may lose its spelling ({kind}). Put the value into quotes.",
            name=_at(name, place),
            kind=type(node).__name__,
        )
    )


def _problems(error: ValidationError) -> list[tuple[Path, str]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = ((problem["loc"], _reason(problem["type"], problem["msg"])) for problem in found)
    return list(dict.fromkeys(_setting(path) or (path, reason) for path, reason in told))


def _setting(path: Path) -> tuple[Path, str] | None:
    """The value of a setting has many forms; pydantic would tell of each of them why it is not that one."""
    if path[:1] != ("sources",) or path[2:3] != ("settings",) or len(path) < LENGTH_OF_SETTING:
        return None
    forms = "{env: BI_MCP_SECRET_…}, {file: name} or {secret: name}"
    return path[:LENGTH_OF_SETTING], say(
        "a value is text, a whole number, or a reference such as {forms}", forms=forms
    )


def _reason(kind: str, message: str) -> str:
    words = {"missing": say("is missing"), "extra_forbidden": say("is unknown here")}
    return words.get(kind, message.removeprefix("Value error, "))


def _refused(name: str, document: object, problems: Sequence[tuple[Path, str]]) -> SetupFileError:
    told = [_tell(name, document, path, reason) for path, reason in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        told.append(say("and {count} more", count=len(problems) - MAX_PROBLEMS))
    return SetupFileError("\n".join(dict.fromkeys(told)))


def _tell(name: str, document: object, path: Path, reason: str) -> str:
    steps, place = _walk(document, path)
    dotted = ".".join(map(str, steps)) or say("the setup")
    return (
        f"{_at(name, place)}: {dotted} {reason}"
        if reason in {say("is missing"), say("is unknown here")}
        else f"{_at(name, place)}: {dotted}: {reason}"
    )


def _walk(document: object, path: Path) -> tuple[Path, Place]:
    """How far a path leads, and where that stands. Branches of a union appear in it as names of types: no part of the file."""
    place, here, steps = Place(1, 1), document, list[str | int]()
    for step in path:
        if isinstance(here, Mapping | list):
            known = _place(here, step)
            place = known or place
            steps.append(step)
            here = _step(here, step) if known else None
    return tuple(steps), place


def _step(here: Mapping[Any, Any] | list[Any], step: str | int) -> object:
    if isinstance(here, list):
        return here[step] if isinstance(step, int) else None
    return here[step]


def _place(node: object, step: object) -> Place | None:
    marks = getattr(getattr(node, "lc", None), "data", None) or {}
    if step not in marks:
        return None
    line, column, *_ = marks[step]
    return Place(line + 1, column + 1)


def _at(name: str, place: Place) -> str:
    return f"{name}:{place.line}:{place.column}"


def _dump(document: object) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _legible(scalar: Any) -> Any:
    """What the writer would leave without quotes, and the reader then takes for something else."""
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
    """Make a mapping of the file hold what is wanted, touching only what differs."""
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

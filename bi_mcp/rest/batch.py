"""Pure: calls <-> one `batch`, the request that carries up to 50 of them (section 11 of the API reference).

Every value travels as text. A value without a text form is refused before anything is sent, never converted: a boolean
(the portal compares `supportMapping` strictly), null, an empty array (it would vanish, and a filter would find everything).

Secrets may travel: a command is part of the body of the request, like the parameters of a call, and no address or log holds
it. A command that contains a secret is a `Secret` as a whole and is revealed in the transport, like every other one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret, secrets_in
from bi_mcp.errors import (
    BiMcpError,
    InvalidRequestError,
    PortalError,
    SkippedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest.envelope import hidden_error, unexpected_answer
from bi_mcp.rest.error_codes import UNCERTAIN_CODES, error_for, look_first
from bi_mcp.rest.methods import BATCH, Effect

if TYPE_CHECKING:
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Command

MAX_COMMANDS = 50

# PHP's limits for one query string: it silently drops deeper values and, with its usual settings, further ones.
MAX_DEPTH = 60
MAX_VALUES = 1000

_REFERENCE = "$result["

Value = TypeVar("Value")


@dataclass(frozen=True, init=False)
class BatchReference:
    """Placeholder for a part of an earlier command's answer: `Reference(0, "id")` is the id that the first one created.

    `command` is the position in the list that is sent, `path` the steps into the answer. Text never becomes a reference.
    """

    command: int
    path: tuple[str | int, ...]

    def __init__(self, command: int, *path: str | int) -> None:
        object.__setattr__(self, "command", command)
        object.__setattr__(self, "path", path)


@dataclass(frozen=True)
class Batch(Generic[Value]):
    """A `batch` that is ready to be sent: its commands, and the parameters that were made of them.

    `first` is the position of its first command in the list of all batches. With `halt` the portal stops at an error.
    """

    commands: Sequence[Command[Value]]
    method: Method
    parameters: Mapping[str, object]
    halt: bool = False
    first: int = 0

    def outcomes(self, result: object) -> list[object]:
        """Return for each command its part of the `result`, or its error from either of the two places."""
        body = result if isinstance(result, Mapping) else {}
        results = _by_key(body.get("result"), len(self.commands), self.first)
        errors = _by_key(body.get("result_error"), len(self.commands), self.first)
        stopped = self.halt and bool(errors)
        return [
            _outcome(command, _key(position), results, errors, stopped)
            for position, command in enumerate(self.commands, self.first)
        ]

    def parse(self, result: object) -> list[Value | BiMcpError]:
        """Return for each command its value or its error."""
        outcomes = self.outcomes(result)
        return [_parse(command, each) for command, each in zip(self.commands, outcomes, strict=True)]


class _UnfitError(ValueError):
    """Reason why a command cannot be sent in a batch. Names places, never values."""


def batch_method(commands: Sequence[Command[object]]) -> Method:
    """Build the method of a batch: a batch of reads may be repeated, one whose commands a webhook may call is open to it."""
    methods = [command.method for command in commands]
    if any(method.effect is not Effect.READ for method in methods):
        return BATCH
    return replace(
        BATCH, effect=Effect.READ, repeatable=True, webhook=all(method.webhook for method in methods)
    )


def encode_batch(commands: Sequence[Command[Value]], *, halt: bool = False, first: int = 0) -> Batch[Value]:
    """Build a batch. Raises `InvalidRequestError` for more than 50 commands and for one that cannot be sent in a batch."""
    if not 1 <= len(commands) <= MAX_COMMANDS:
        raise InvalidRequestError(
            say(
                "A batch holds 1 to {max_commands} commands, not {commands}. Split them.",
                max_commands=MAX_COMMANDS,
                commands=len(commands),
            )
        )
    texts: list[str | Secret] = []
    for position, command in enumerate(commands, first):
        text = encode_command(command, range(first, position))
        if isinstance(text, InvalidRequestError):
            raise text
        texts.append(text)
    return build_batch(commands, texts, halt=halt, first=first)


def build_batch(
    commands: Sequence[Command[Value]], texts: Sequence[str | Secret], *, halt: bool = False, first: int = 0
) -> Batch[Value]:
    """Build a batch of commands that are encoded already."""
    cmd = {_key(position): text for position, text in enumerate(texts, first)}
    return Batch(commands, batch_method(commands), {"halt": int(halt), "cmd": cmd}, halt, first)


def encode_command(command: Command[object], earlier: range = range(0)) -> str | Secret | InvalidRequestError:
    """Write a command as `method?query`, with brackets for nested values. `earlier`: positions a `BatchReference` may name.

    Returns an error for a command that cannot be sent in a batch. It names the place and never the value.
    """
    name = command.method.name
    if name == BATCH.name:
        return InvalidRequestError(
            say("A batch cannot contain a batch. Nothing was sent. Add its commands directly.")
        )
    try:
        leaves = _leaves(command.parameters)
        query = urlencode([(place, _text(place, leaf, earlier)) for place, leaf in leaves])
    except UnicodeEncodeError:
        return InvalidRequestError(
            say("{name} was not sent: a text holds half a Unicode character. Correct the text.", name=name)
        )
    except _UnfitError as reason:
        return InvalidRequestError(
            say(
                "{name} cannot be sent in a batch: {reason}. Call it alone. Nothing was sent.",
                name=name,
                reason=reason,
            )
        )
    text = f"{name}?{query}" if query else name
    return Secret(text) if any(isinstance(leaf, Secret) for _, leaf in leaves) else text


def fail_batch(commands: Sequence[Command[object]], error: BiMcpError) -> list[BiMcpError]:
    """Return an error for each command after the whole batch failed: reads failed, writes may have happened."""
    return [_failure_of(command, error) for command in commands]


def skip(command: Command[object]) -> SkippedError:
    """Make the error of a command that was not run."""
    return SkippedError(
        say(
            "{name} was not run, because a command before it failed. Nothing happened; repair that one first.",
            name=command.method.name,
        )
    )


def _key(position: int) -> str:
    return f"c{position}"


def _leaves(parameters: Mapping[str, object]) -> list[tuple[str, object]]:
    """`{"fields": {"list": [{"name": "ID"}]}}` -> `fields[list][0][name]`, `ID`. A parameter that is None is left out."""
    leaves = [
        leaf
        for name, value in parameters.items()
        if value is not None
        for leaf in _leaves_below(name, value, 1)
    ]
    if len(leaves) > MAX_VALUES:
        raise _UnfitError(say("it holds more than {max_values} values", max_values=MAX_VALUES))
    return leaves


def _leaves_below(place: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        steps = [(_step(place, key), below) for key, below in value.items()]
    elif isinstance(value, list | tuple):
        steps = [(str(index), below) for index, below in enumerate(value)]
    else:
        yield place, value
        return
    if not steps:
        raise _UnfitError(say("{place} is empty, and a batch loses empty values", place=place))
    if depth > MAX_DEPTH:
        raise _UnfitError(say("its values are nested too deeply"))
    for step, below in steps:
        yield from _leaves_below(f"{place}[{step}]", below, depth + 1)


def _step(place: str, key: object) -> str:
    text = str(key)
    if not text or "[" in text or "]" in text:
        raise _UnfitError(say("a key in {place} is empty or holds a bracket", place=place))
    return text


def _text(place: str, leaf: object, earlier: range) -> str:
    if isinstance(leaf, bool):
        raise _UnfitError(say("{place} is a boolean, and a batch turns every value into text", place=place))
    if isinstance(leaf, Secret):
        return _literal(place, leaf.reveal())
    if isinstance(leaf, str):
        return _literal(place, leaf)
    if isinstance(leaf, int) or (isinstance(leaf, float) and math.isfinite(leaf)):
        return str(leaf)
    if isinstance(leaf, BatchReference):
        return _reference(place, leaf, earlier)
    raise _UnfitError(say("{place} is neither text nor a number", place=place))


def _literal(place: str, text: str) -> str:
    # The portal replaces references wherever it finds them, and they cannot be escaped.
    if _REFERENCE in text:
        raise _UnfitError(
            say("the text of {place} would be taken for a reference to another result", place=place)
        )
    return text


def _reference(place: str, reference: BatchReference, earlier: range) -> str:
    if reference.command not in earlier or not reference.path:
        raise _UnfitError(
            say("{place} refers to something that is not in an earlier result of the same batch", place=place)
        )
    steps = (_key(reference.command), *(_step(place, step) for step in reference.path))
    return "$result" + "".join(f"[{step}]" for step in steps)


def _by_key(answered: object, expected: int, first: int) -> Mapping[str, object]:
    """Return outcomes by key. PHP writes an empty map as `[]`; other arrays must have an element for every command."""
    if isinstance(answered, Mapping):
        return answered
    if isinstance(answered, list) and len(answered) == expected:
        return {_key(position): value for position, value in enumerate(answered, first)}
    return {}


def _outcome(
    command: Command[object],
    key: str,
    results: Mapping[str, object],
    errors: Mapping[str, object],
    stopped: bool,
) -> object:
    error = hidden_error(command.method, 200, errors.get(key))
    error = error or hidden_error(command.method, 200, results.get(key))
    if error is not None:
        return error.without(_secrets(command)) if isinstance(error, PortalError) else error
    if key in results:
        return results[key]
    if stopped:
        return skip(command)
    return unexpected_answer(command.method, 200, say("a batch without this command"))


def _parse(command: Command[Value], outcome: object) -> Value | BiMcpError:
    if isinstance(outcome, BiMcpError):
        return outcome
    try:
        return command.parse(outcome)
    except BiMcpError as error:
        return error


def _failure_of(command: Command[object], error: BiMcpError) -> BiMcpError:
    method = command.method
    if isinstance(error, PortalError):
        return _refusal_of(command, error)
    writes = method.effect is not Effect.READ
    advice = look_first(method) if writes else say("It only reads: it can be sent again.")
    failure = say("{name} was part of a batch that failed. {error}", name=method.name, error=error)
    if isinstance(error, UnexpectedAnswerError):
        return UnexpectedAnswerError(f"{failure} {advice}", method=method.name, status=error.status)
    if isinstance(error, UnreachableError):
        uncertain = writes and error.may_have_happened
        what = f"{failure} {advice}" if error.may_have_happened else failure
        return UnreachableError(what, method=method.name, may_have_happened=uncertain)
    # Everything else is refused before anything is sent, and holds for each command alike.
    return error


def _refusal_of(command: Command[object], error: PortalError) -> PortalError:
    method, code, message = command.method, error.code, error.message
    meant = error_for(method, code, message, error.status) if code in UNCERTAIN_CODES else error
    own = error.with_words(*meant.advice, method=method.name, code=code, message=message, hint=meant.hint)
    return own.without(_secrets(command))


def _secrets(command: Command[object]) -> list[Secret]:
    return list(secrets_in(dict(command.parameters)))

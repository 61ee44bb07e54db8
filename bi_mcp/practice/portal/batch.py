"""`batch`: up to 50 commands in one request."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bi_mcp.config import Generation
from bi_mcp.practice.portal.answers import AnswerTiming, ModuleFault, SystemFault, error_body, time_body
from bi_mcp.practice.portal.brackets import is_list_like, parse_brackets

MAX_COMMANDS = 50

_REFERENCE = re.compile(r"\$result((?:\[[^\[\]]+\])+)")
_STEP = re.compile(r"\[([^\[\]]+)\]")

_TOO_LONG = SystemFault(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
_NESTED = SystemFault(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")

Call = Callable[[str, Mapping[str, object]], Awaitable[object]]


@dataclass
class _Answers:
    results: dict[str, object] = field(default_factory=dict)
    errors: dict[str, object] = field(default_factory=dict)
    times: dict[str, object] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        return {
            "result": _php_array(self.results),
            "result_error": _php_array(self.errors),
            # No method of this module counts its records or names a next page.
            "result_total": [],
            "result_next": [],
            "result_time": _php_array(self.times),
        }


async def run_batch(
    parameters: Mapping[str, object],
    call: Call,
    clock: Callable[[], float] = time.time,
    generation: Generation = "tables",
) -> dict[str, object]:
    """Run `cmd` (a map or a list of `method?query`) one by one and return the `result` of `batch`.

    `call` runs one method and raises `ModuleFault` or `SystemFault`. `halt` stops after a system error only: the
    reference is silent, and an error of the module travels as a result, so the batch takes it for a success.
    Of more than 50 commands two readings are documented: newer portals refuse them all with HTTP 400 before any of them
    runs; in the classic generation those beyond the fiftieth end with that error.
    """
    commands = _commands(parameters.get("cmd"))
    if len(commands) > MAX_COMMANDS and generation == "tables":
        raise _TOO_LONG
    halt = parameters.get("halt") not in (None, False, "", "0")
    answers = _Answers()
    for number, (key, command) in enumerate(commands.items(), 1):
        if number > MAX_COMMANDS:
            answers.errors[key] = error_body(_TOO_LONG)
        else:
            await _run(key, command, answers, call, clock)
        if halt and answers.errors:
            break
    return answers.body()


async def _run(key: str, command: str, answers: _Answers, call: Call, clock: Callable[[], float]) -> None:
    address, _, query = command.partition("?")
    method = address.removesuffix(".json")
    parameters = {name: _resolve(value, answers.results) for name, value in parse_brackets(query).items()}
    if method == "batch":
        answers.errors[key] = error_body(_NESTED)
        return
    start = clock()
    try:
        answers.results[key] = await call(method, parameters)
    except ModuleFault as fault:
        answers.results[key] = {"error": error_body(fault)}
    except SystemFault as fault:
        answers.errors[key] = error_body(fault)
        return
    time = time_body(AnswerTiming(start, clock()))
    # A command counts like a call, but only the answer to a call shows the used run time.
    answers.times[key] = {name: value for name, value in time.items() if not name.startswith("operating")}


def _commands(cmd: object) -> dict[str, str]:
    if isinstance(cmd, Mapping):
        return {str(key): str(command) for key, command in cmd.items()}
    if isinstance(cmd, list):
        return {str(index): str(command) for index, command in enumerate(cmd)}
    return {}


def _resolve(value: object, results: Mapping[str, object]) -> object:
    """Replace `$result[key][a][b]`, also inside nested values.

    A value that is only a reference may become a map or a list; everything else stays text, like all values of a batch.
    A reference that leads nowhere becomes the empty string, as in PHP.
    """
    if isinstance(value, dict):
        return {key: _resolve(below, results) for key, below in value.items()}
    if isinstance(value, list):
        return [_resolve(below, results) for below in value]
    text = str(value)
    alone = _REFERENCE.fullmatch(text)
    if alone:
        found = _look_up(alone[1], results)
        return found if isinstance(found, dict | list) else _php_text(found)
    return _REFERENCE.sub(lambda match: _php_text(_look_up(match[1], results)), text)


def _look_up(path: str, results: object) -> object:
    for step in _STEP.findall(path):
        if isinstance(results, Mapping):
            results = results.get(step)
        elif isinstance(results, list) and step.isdecimal() and int(step) < len(results):
            results = results[int(step)]
        else:
            return None
    return results


def _php_text(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return "Array" if isinstance(value, dict | list) else str(value)


def _php_array(entries: dict[str, object]) -> dict[str, object] | list[object]:
    return list(entries.values()) if is_list_like(list(entries)) else entries

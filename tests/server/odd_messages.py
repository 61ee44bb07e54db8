"""Messages that no good client sends, and what each must be answered with. Data for `test_odd_messages.py`.

A text `«…»` stands for what it holds, without quotes: numbers and escapes that Python would not write.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mcp.types import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR

from tests.server.conftest import Era
from tests.server.processes import MODERN

_RAW = re.compile(r'"«(.*?)»"')
# A secret would stand where this does; no answer may repeat it.
VALUE = "a-value-that-was-sent"


@dataclass(frozen=True)
class Served:
    """A result."""


@dataclass(frozen=True)
class Refused:
    """A result for the model that says what is wrong."""

    says: str


@dataclass(frozen=True)
class Error:
    """An error of the protocol. `answers` is False where the id could not be made out."""

    code: int
    says: str
    answers: bool = True


@dataclass(frozen=True)
class Silence:
    """Nothing: nobody waits for an answer."""


Outcome = Served | Refused | Error | Silence


@dataclass(frozen=True)
class Odd:
    name: str
    message: object
    outcome: Outcome

    @property
    def answered_id(self) -> object:
        """What an answer must bear."""
        if isinstance(self.outcome, Error) and not self.outcome.answers:
            return None
        id = self.message.get("id") if isinstance(self.message, dict) else None
        return "odd" if isinstance(id, str) and _RAW.fullmatch(f'"{id}"') else id

    def line(self, era: Era) -> bytes:
        """The message as it goes over the wire; requests bear what the protocol of the era wants."""
        if isinstance(self.message, bytes):
            return self.message
        message = self.message
        if isinstance(message, dict) and isinstance(message.get("params"), dict) and era == "auto":
            params = message["params"]
            own = params.get("_meta", {})
            meta = own if not isinstance(own, dict) else MODERN["_meta"] | own
            message = message | {"params": params | {"_meta": meta}}
        written = json.dumps(message, ensure_ascii=False)
        return _RAW.sub(lambda found: json.loads(f'"{found[1]}"'), written).encode()


def request(method: str = "prompts/list", id: object = "odd", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def notification(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def call(tool: str, arguments: object) -> dict[str, Any]:
    return request("tools/call", name=tool, arguments=arguments)


def listing(**arguments: Any) -> dict[str, Any]:
    return call("connector_list", arguments)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


NO_MESSAGE = Error(INVALID_REQUEST, "not a message of JSON-RPC 2.0")
NO_ID = Error(INVALID_REQUEST, "not a message of JSON-RPC 2.0", answers=False)
HALF = Error(PARSE_ERROR, "half a Unicode character")
NO_JSON = Error(PARSE_ERROR, "JSON", answers=False)
BASE = request()

NO_MESSAGES = [
    Odd("cut off", b'{"jsonrpc":"2.0","id":"odd","method":', NO_JSON),
    Odd("two in a line", json.dumps(BASE).encode() * 2, NO_JSON),
    Odd("NUL between the parts", b'{"jsonrpc":"2.0",\x00"id":"odd"}', NO_JSON),
    Odd("arrays without end", b"[" * 200_000, NO_JSON),
    Odd("objects without end", listing(filter=f"«{nested(5_000)}»"), NO_JSON),
    Odd("an id of 5,000 digits", request(id="«1" + "0" * 5_000 + "»"), NO_JSON),
    Odd("null", b"null", NO_ID),
    Odd("a number", b"5", NO_ID),
    Odd("a text", b'"tools/list"', NO_ID),
    Odd("an empty array", b"[]", NO_ID),
    Odd("an empty object", b"{}", NO_ID),
    Odd("a batch", [request(id=1), request(id=2)], NO_ID),
    Odd("JSON-RPC 1.0", BASE | {"jsonrpc": "1.0"}, NO_MESSAGE),
    Odd("JSON-RPC 2.0 as a number", BASE | {"jsonrpc": 2.0}, NO_MESSAGE),
    Odd("no jsonrpc", {"id": "odd", "method": "prompts/list", "params": {}}, NO_MESSAGE),
    Odd("no method", {"jsonrpc": "2.0", "id": "odd", "params": {}}, NO_MESSAGE),
    Odd("a method that is a number", BASE | {"method": 5}, NO_MESSAGE),
    Odd("a method that is null", BASE | {"method": None}, NO_MESSAGE),
    Odd("params in an array", BASE | {"params": [VALUE]}, NO_MESSAGE),
    Odd("params as text", BASE | {"params": VALUE}, NO_MESSAGE),
]
NO_IDS = [
    Odd("no id", notification("tools/list"), NO_ID),
    Odd("an id 5.0", request(id="«5.0»"), NO_ID),
    Odd("an id 5.5", request(id=5.5), NO_ID),
    Odd("an id NaN", request(id="«NaN»"), NO_ID),
    Odd("an id true", request(id=True), NO_ID),
    Odd("an id null", request(id=None), NO_ID),
    Odd("an id that is an object", request(id={"a": 1}), NO_ID),
    Odd("an id that is an array", request(id=[1]), NO_ID),
]
IDS = [
    Odd("an id that looks like a number", request(id="5"), Served()),
    Odd("an empty id", request(id=""), Served()),
    Odd("an id below zero", request(id=-1), Served()),
    Odd("an id of 31 digits", request(id=10**30), Served()),
    Odd("an id of 100,000 characters", request(id="x" * 100_000), Served()),
    Odd("two ids", request(id='«1, "id": "odd"»'), Served()),
]
TOKENS = [
    Odd("a progress token of 31 digits", request(_meta={"progressToken": 10**30}), Served()),
    Odd("an empty progress token", request(_meta={"progressToken": ""}), Served()),
    Odd(
        "a progress token 5.5", request(_meta={"progressToken": 5.5}), Error(INVALID_PARAMS, "progressToken")
    ),
    Odd(
        "a progress token null",
        request(_meta={"progressToken": None}),
        Error(INVALID_PARAMS, "progressToken"),
    ),
    Odd("a progress token {}", request(_meta={"progressToken": {}}), Error(INVALID_PARAMS, "progressToken")),
    Odd("meta as text", request(_meta=VALUE), Error(INVALID_PARAMS, "_meta")),
]
PARAMS = [
    Odd("an unknown method", request("tools/destroy"), Error(METHOD_NOT_FOUND, "not found")),
    Odd(
        "a notification as a request",
        request("notifications/cancelled"),
        Error(METHOD_NOT_FOUND, "not found"),
    ),
    Odd("a call without a name", request("tools/call"), Error(INVALID_PARAMS, "params.name: Field required")),
    Odd("a read without an address", request("resources/read"), Error(INVALID_PARAMS, "params.uri")),
    Odd("a prompt without a name", request("prompts/get"), Error(INVALID_PARAMS, "params.name")),
    Odd(
        "an unknown prompt",
        request("prompts/get", name="nope"),
        Error(INVALID_PARAMS, "Known: debug_dataset"),
    ),
    Odd(
        "a prompt's argument that is a number",
        request("prompts/get", name="onboard", arguments={"goal": 5}),
        Error(INVALID_PARAMS, "params.arguments.goal"),
    ),
    Odd(
        "arguments of a prompt that it has not",
        request("prompts/get", name="onboard", arguments={"x": "$x"}),
        Served(),
    ),
    Odd("a completion of nothing", request("completion/complete"), Error(INVALID_PARAMS, "params.argument")),
    Odd(
        "a completion of 5,000 digits",
        request(
            "completion/complete",
            ref={"type": "ref/resource", "uri": "bi://connector/{id}"},
            argument={"name": "id", "value": "9" * 5_000},
        ),
        Served(),
    ),
    Odd(
        "an answer to no question",
        request("tools/call", name="connector_delete", arguments={"id": 1}, requestState=VALUE),
        Error(INVALID_PARAMS, "requestState"),
    ),
    *(
        Odd(
            f"a cursor for {method}",
            request(method, cursor="bm9wZQ"),
            Error(INVALID_PARAMS, "leave out cursor"),
        )
        for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
    ),
    Odd("a cursor that is a number", request("tools/list", cursor=5), Error(INVALID_PARAMS, "params.cursor")),
]
ADDRESSES = [
    Odd(f"the address {uri[:40]!r}", request("resources/read", uri=uri), Error(INVALID_PARAMS, says))
    for uri, says in {
        "": "Unknown resource",
        "no address": "Unknown resource",
        "file:///etc/passwd": "Unknown resource",
        "bi://connector/..%2f..%2fetc": "Unknown resource",
        "bi://connector/-1": "positive whole number",
        "bi://connector/" + "9" * 5_000: "positive whole number",
        "bi://connector/\N{ARABIC-INDIC DIGIT FIVE}": "positive whole number",
        "bi://connector/999": "connector_list shows",
    }.items()
]
NO_OBJECTS: tuple[object, ...] = (VALUE, "{}", [], 5, True)
NO_REQUESTS: tuple[object, ...] = (9999, "nope", None, True, [], {}, 1.5)
ARGUMENTS = [
    *(
        Odd(
            f"arguments that are {what!r}",
            call("connector_list", what),
            Error(INVALID_PARAMS, "params.arguments"),
        )
        for what in NO_OBJECTS
    ),
    Odd("arguments that are null", call("connector_list", None), Served()),
    Odd("no arguments", request("tools/call", name="connector_list"), Served()),
    Odd("an unknown tool", call("connector_lists", {}), Refused("Unknown tool: connector_lists")),
    Odd("an unknown argument", listing(pages=1), Refused("did you mean page?")),
    Odd("an unknown argument with NUL", listing(**{"a\x00b": 1}), Refused("is unknown")),
    Odd("an unknown argument with line ends", listing(**{"a\u2028\x85b": 1}), Refused("is unknown")),
    Odd("an argument of 100,000 characters", listing(**{"x" * 100_000: 1}), Refused("is unknown")),
    Odd("20,000 arguments", listing(**{f"x{i}": 1 for i in range(20_000)}), Refused("and 19980 more")),
    Odd(
        "20,000 wrong columns",
        call("dataset_fields_update", {"id": 1, "add": [{}] * 20_000}),
        Refused("and 59980 more"),
    ),
    Odd(
        "half a character inside JSON as text",
        listing(filter='{"title": "\\ud800"}'),
        Refused("half a Unicode character"),
    ),
    Odd("half a character in a name", listing(filter='{"\\ud800": 1}'), Refused("half a Unicode character")),
    Odd("objects without end as text", listing(filter=nested(5_000)), Refused("filter:")),
    Odd("150 objects in each other", listing(filter=json.loads(nested(150))), Refused("filter:")),
    Odd("a number that is not finite", listing(filter={"id": "«Infinity»"}), Refused("not finite")),
    Odd(
        "a setup without end",
        call("workspace_plan", {"setup": "[" * 100_000}),
        Refused("a setup file is a mapping"),
    ),
    Odd("a setup with NUL", call("workspace_plan", {"setup": "a: \x00"}), Refused("neither YAML nor JSON")),
    Odd(
        "an order in Cyrillic",
        listing(order={"id": "\N{CYRILLIC CAPITAL LETTER A}SC"}),
        Refused("'ASC' or 'DESC'"),
    ),
    Odd("an order in full width", listing(order={"id": "\uff21\uff33\uff23"}), Refused("'ASC' or 'DESC'")),
    Odd(
        "a format in IPA",
        call("portal_map", {"format": "sv\N{LATIN SMALL LETTER SCRIPT G}"}),
        Refused("'tree'"),
    ),
    Odd("an object id '5'", call("connector_get", {"id": "5"}), Refused("CONNECTOR_NOT_FOUND")),
    Odd("an object id 5.0", call("connector_get", {"id": "«5.0»"}), Refused("CONNECTOR_NOT_FOUND")),
    *(
        Odd(f"an object id {what!r}", call("connector_get", {"id": what}), Refused(says))
        for what, says in {
            5.5: "id: a whole number is expected",
            True: "a whole number belongs here",
            None: "id: a whole number is expected",
            -1: "greater than or equal to 1",
            10**30: "positive integer",
            "\N{ARABIC-INDIC DIGIT FIVE}": "id: there is no connector yet",
            "«NaN»": "finite",
            "«1e400»": "finite",
        }.items()
    ),
]
# These fit no body over HTTP, which takes a megabyte.
LARGE = [
    Odd("a value of 10 MB", listing(filter={"title": "x" * 10_000_000}), Served()),
    Odd(
        "a title of 10 MB",
        call("connector_update", {"id": 1, "fields": {"title": "x" * 10_000_000}}),
        Refused("512"),
    ),
    Odd(
        "a setup of 10 MB",
        call("workspace_plan", {"setup": "#" * 10_000_000}),
        Refused("The command line reads more"),
    ),
]
UNANSWERED = [
    Odd("an unknown notification", notification("notifications/nope"), Silence()),
    Odd(
        "a notification with params in an array",
        notification("notifications/initialized") | {"params": []},
        Silence(),
    ),
    Odd("a second greeting", notification("notifications/initialized"), Silence()),
    Odd(
        "progress of nothing",
        notification("notifications/progress", progressToken=[], progress="x"),
        Silence(),
    ),
    *(
        Odd(
            f"the end of request {what!r}", notification("notifications/cancelled", requestId=what), Silence()
        )
        for what in NO_REQUESTS
    ),
    Odd("the end of no request", notification("notifications/cancelled"), Silence()),
    Odd("an answer to nothing", {"jsonrpc": "2.0", "id": 77, "result": {}}, Silence()),
    Odd("an error to nothing", {"jsonrpc": "2.0", "id": 77, "error": {"code": 1, "message": "x"}}, Silence()),
    Odd("an error that is text", {"jsonrpc": "2.0", "id": 77, "error": "x"}, Silence()),
]
# Over HTTP the rules about headers come first, and the newest protocol reads some of these.
LINES = [
    Odd("a name that is a number", request("tools/call", name=5), Error(INVALID_PARAMS, "name")),
    Odd(
        "half a character",
        request("tools/call", name="connector_list", arguments={'«"\\ud800"»': 1}),
        HALF,
    ),
    Odd("half a character in a value", listing(filter={"title": '«"\\ud800"»'}), HALF),
    Odd("half a character in an id", request(id='«"\\ud800"»'), Error(PARSE_ERROR, "half", answers=False)),
    Odd(
        "half a character in a notification",
        notification("notifications/cancelled", requestId='«"\\ud800"»'),
        Silence(),
    ),
    Odd("a byte order mark", b"\xef\xbb\xbf" + json.dumps(BASE).encode(), NO_JSON),
]
ODD = [*NO_MESSAGES, *NO_IDS, *IDS, *TOKENS, *PARAMS, *ADDRESSES, *ARGUMENTS, *UNANSWERED]

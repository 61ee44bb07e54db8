"""What reads text that others wrote, each as a function of bytes. It may refuse; any other exception is a find.

`python -m benchmarks.fuzz` runs them for long, `test_fuzz.py` for a moment.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.auth.token import parse_token
from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.endpoints.answers import EndpointAnswer, parse_columns, parse_rows, parse_tables
from bi_mcp.endpoints.elements import ElementReader, NotJsonError
from bi_mcp.endpoints.guard import parse_address
from bi_mcp.errors import BiMcpError, EndpointError, SetupFileError, StateFileError
from bi_mcp.history.journal import _parse as _parse_line
from bi_mcp.rest.batch import Batch
from bi_mcp.rest.envelope import parse_answer
from bi_mcp.rest.kind_methods import KindCommands
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.methods import BATCH, METHODS, Method
from bi_mcp.rest.query import Query
from bi_mcp.rest.request import Command
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.state_file import StateFile
from tests.security.chart_harnesses import CHART_HARNESSES
from tests.security.harness import Harness, scratch_folder

STATUSES = (200, 400, 401, 403, 500, 503)
ANSWER = EndpointAnswer(status=200, seconds=0.0, size=0)
ENOUGH = 50


def _commands() -> list[Command[object]]:
    made: list[Command[object]] = []
    for kind in KINDS.values():
        commands = KindCommands(kind)
        made += [commands.get(1), commands.delete(1), commands.page(Query()), commands.fields()]
    return made


COMMANDS = _commands()


def envelope(data: bytes) -> None:
    """First byte: the method; second: the HTTP status; first line: the header Date; the rest is the body."""
    method: Method = METHODS[data[0] % len(METHODS)] if data else METHODS[0]
    status = STATUSES[data[1] % len(STATUSES)] if data[1:] else 200
    date, _, body = data[2:].partition(b"\n")
    try:
        answer = parse_answer(
            method, status, body, {"date": date.decode("latin-1"), "retry-after": date.decode("latin-1")}
        )
        for command in COMMANDS:
            _parse(command, answer.result)
    except BiMcpError as error:
        _check_text(error)


def batch(data: bytes) -> None:
    """First byte: how many commands, and whether the batch halts; the rest is the `result`."""
    many = data[0] if data else 0
    commands = COMMANDS[: 1 + many % len(COMMANDS)]
    try:
        result = parse_answer(BATCH, 200, b'{"result": ' + data[1:] + b"}").result
    except BiMcpError as error:
        _check_text(error)
        return
    outcomes = Batch(commands, BATCH, {}, halt=many > 127).parse(result)
    assert len(outcomes) == len(commands)
    for outcome in outcomes:
        if isinstance(outcome, BiMcpError):
            _check_text(outcome)


def elements(data: bytes) -> None:
    """First byte: the size of the parts in which the rest arrives. Compared with a reader that gets all at once."""
    size = 1 + (data[0] if data else 0)
    body = data[1:]
    read = ElementReader(ENOUGH)
    try:
        for at in range(0, len(body), size):
            if not read.feed(body[at : at + size]):
                break
        read.finish()
    except NotJsonError:
        return
    if read.complete:
        assert read.elements == json.loads(body)[: len(read.elements)]
    parse_tables(read, ANSWER)
    parse_columns(read, ANSWER)
    parse_rows(read, ANSWER, select=["A", "b"], limit=3, names={"a": "A"}, mapped=True)


def setup(data: bytes) -> None:
    """What is read is written again, and read as the same."""
    try:
        text = data.decode()
        found = read_setup(text, "bi.yaml")
    except UnicodeDecodeError:
        return
    except SetupFileError as error:
        _check_text(error)
        return
    assert read_setup(write_setup(found), "bi.yaml") == found
    assert read_setup(write_setup(found, text), "bi.yaml") == found


def address(data: bytes) -> None:
    """A host that is accepted is one that cannot be read in two ways."""
    try:
        found = parse_address(data.decode(errors="surrogateescape"))
    except EndpointError as error:
        _check_text(error)
        return
    assert parse_address(f"{found.origin}/") == found


def kept_files(data: bytes) -> None:
    """The state file, its pending request, and the lines of a journal."""
    state = StateFile(scratch_folder() / "bi.yaml", PortalIdentity("portal.example"))
    for path in (state.path, state.pending_path):
        path.write_bytes(data)
    assert all(isinstance(_parse_line(line), dict | None) for line in data.splitlines())
    for read in (state.read, state.read_pending):
        try:
            read()
        except StateFileError as error:
            _check_text(error)


def token(data: bytes) -> None:
    """What an OAuth server answers."""
    try:
        answer = parse_foreign(data)
    except ValueError:
        return
    if isinstance(answer, dict):
        try:
            parse_token(answer, 0.0)
        except ValueError as error:
            str(error).encode()


def _parse(command: Command[object], result: object) -> None:
    try:
        command.parse(result)
    except BiMcpError as error:
        _check_text(error)


def _check_text(error: BiMcpError) -> None:
    """A text that cannot be written is an error that nobody is told."""
    assert str(error).strip()
    str(error).encode()


_ITEM = {
    "id": "5",
    "title": "Shop",
    "name": "orders",
    "connectorId": 1,
    "sourceId": 1,
    "active": "Y",
    "settings": [{"id": 1, "code": "password", "name": "P", "type": "STRING", "value": "x"}],
    "fields": [{"id": 1, "name": "ID", "externalCode": "id", "type": "int", "visible": True}],
    "connection": {"password": 1},
}
_TIME = {"finish": 1.5, "operating": 0.1, "operating_reset_at": 1700000000}
_ERROR = {"error": "DELETE_RESTRICTED", "error_description": "no https://x.example/rest/1/s/"}


def _seed(head: bytes, value: object) -> bytes:
    return head + json.dumps(value).encode()


_HEAD = b"\x01\x00Wed, 21 Oct 2026 07:28:00 GMT\n"
_ENVELOPES = [
    _seed(_HEAD, {"result": {"item": _ITEM}, "time": _TIME}),
    _seed(_HEAD, {"result": [_ITEM, _ITEM], "time": _TIME}),
    _seed(_HEAD, {"result": {"error": _ERROR}}),
    _seed(_HEAD, {**_ERROR, "time": _TIME}),
    _seed(_HEAD, {"result": True}),
    _seed(_HEAD, {"result": {"fields": [{"title": "ID", "type": "int", "isRequired": True}]}}),
    _HEAD + b'{"result": {"item": {"id": 1, "title": "\\ud800"}}}',
    _HEAD + b'{"error": "\\ud800", "error_description": "\\udfff"}',
    _HEAD + b"<html>" + b"[" * 50,
    _HEAD + b'{"result": ' + b"[" * 400 + b"]" * 400 + b"}",
]
_BATCH = {
    "result": {f"c{number}": {"item": _ITEM} for number in range(4)},
    "result_error": {"c5": {"error": "NOT_FOUND", "error_description": "no"}},
}
_SETUP = b"""version: 1
connectors:
  shop: {title: Shop, logo: "https://x.example/l.png", urlCheck: "https://x.example/c", urlTableList: "https://x.example/l", urlTableDescription: "https://x.example/d", urlData: "https://x.example/r", settings: [{code: password, name: P, type: STRING}]}
sources:
  one:
    title: One  # a remark
    connector: shop
    settings: {password: {env: BI_MCP_SECRET_X}, port: 5432, login: ann}
datasets:
  orders:
    source: one
    externalCode: orders
    externalName: Orders
    fields:
      - {name: ID, externalCode: id, type: int}
"""

HARNESSES: dict[str, Harness] = {
    harness.name: harness
    for harness in (
        Harness("envelope", envelope, _ENVELOPES),
        Harness(
            "batch",
            batch,
            [
                _seed(b"\x08", _BATCH),
                _seed(b"\x88", {**_BATCH, "result": []}),
                _seed(b"\x01", {"result": [_ITEM, _ITEM], "result_error": []}),
                b'\x01{"result_error": {"c0": {"error": "\\ud800"}}}',
            ],
        ),
        Harness(
            "elements",
            elements,
            [
                b"\x05" + b'[["a","b"],[1,"x\\ud83d\\ude00"],[null,1.5],[true,[{}]]]',
                _seed(
                    b"\x0f", [{"code": "a", "title": "A", "id": 1}, {"code": "a", "name": "N", "type": "int"}]
                ),
                _seed(b"\xff", [[1]] * 60),
                b'\x01\xef\xbb\xbf[NaN, Infinity, -1e999, 12345678901234567890, "\\ud800"]',
                b"\xff[" + b"[" * 400 + b"]" * 400 + b"]",
                b"\xff" + gzip.compress(b"[]"),
            ],
        ),
        Harness(
            "setup",
            setup,
            [
                _SETUP,
                b"version: 1\n",
                b'{"version": 1, "connectors": {}}',
                b"version: 1\nconnectors: &a {x: *a}\n",
                b"version: 1\nsources: !!python/object:os.system {<<: [1, 2]}\n? [a]\n: >-\n  x\n",
                b"%YAML 1.1\n---\nversion: 0x1\ndatasets: {a: ~, b: 2026-01-01, c: 1:20:30, d: .nan}\n...\n",
            ],
        ),
        Harness(
            "address",
            address,
            [
                b"https://shop.example:8443/x?y=1#z",
                b"http://[::ffff:7f00:1]:80/",
                b"http://0x7f.1/",
                "http://１２７.0。0.1/".encode(),
                "https://тест.рф/".encode(),
                b"http://user:p@[fe80::1%25eth0]/",
            ],
        ),
        Harness(
            "kept_files",
            kept_files,
            [
                _seed(b"", {"version": 1, "portal": "portal.example", "objects": {"connector": {"a": 1}}}),
                _seed(b"", {"id": "x", "method": "y"}) + b'\n{"half',
                b"[" * 400,
            ],
        ),
        Harness(
            "token",
            token,
            [
                _seed(
                    b"",
                    {
                        "access_token": "a",
                        "refresh_token": "r",
                        "expires_in": 3600,
                        "expires": 1700000000,
                        "client_endpoint": "https://x.example/rest/",
                        "scope": "biconnector",
                        "member_id": "m",
                        "user_id": 1,
                    },
                )
            ],
        ),
        *CHART_HARNESSES,
    )
}
HARNESSES = {name: replace(harness, seeds=tuple(harness.seeds)) for name, harness in HARNESSES.items()}

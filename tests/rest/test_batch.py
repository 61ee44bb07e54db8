from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import (
    AlreadyExistsError,
    BiMcpError,
    ConfigError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PortalError,
    RefusedError,
    SkippedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.practice.portal.brackets import parse_brackets
from bi_mcp.rest.batch import (
    BatchReference,
    encode_batch,
    encode_command,
    fail_batch,
)
from bi_mcp.rest.credential import Webhook
from bi_mcp.rest.kind_methods import parse_id
from bi_mcp.rest.methods import BATCH, Effect, method
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility, Connector, Dataset
from bi_mcp.rest.query import Query
from bi_mcp.rest.request import Command
from tests.rest.calling import (
    WEBHOOK,
    Portal,
    a_portal,
    add_dataset,
    add_source,
    columns,
    connector_fields,
    dataset_fields,
)

pytestmark = pytest.mark.anyio

GET, ADD = method("connector", "get"), method("source", "add")
NOT_FOUND = {"error": "CONNECTOR_NOT_FOUND", "error_description": "Connector was not found."}


def get(id: int = 1) -> Command[object]:
    return Command(GET, {"id": id})


def add(**fields: object) -> Command[object]:
    return Command(ADD, {"fields": fields})


def sent(command: Command[object], earlier: range = range(0)) -> Mapping[str, Any]:
    """What a portal reads of an encoded command."""
    encoded = encode_command(command, earlier)
    assert not isinstance(encoded, InvalidRequestError)
    text = encoded.reveal() if isinstance(encoded, Secret) else encoded
    return parse_brackets(text.partition("?")[2])


# What is sent


def test_a_command_is_the_method_with_its_parameters_in_brackets() -> None:
    assert encode_command(get(5)) == "biconnector.connector.get?id=5"
    assert encode_command(Command(method("table", "fields"), {})) == "biconnector.table.fields"
    assert encode_command(Command(GET, {"a": {"b": [1, {"c": "x y"}]}})).endswith(  # type: ignore[union-attr]  # no secret
        "?a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D%5Bc%5D=x+y"
    )


@pytest.mark.parametrize(
    ("parameters", "read"),
    [
        ({"id": 5, "page": None}, {"id": "5"}),
        ({"filter": {">=id": 1.5, "@name": ["a", "b"]}}, {"filter": {">=id": "1.5", "@name": ["a", "b"]}}),
        ({"filter": {"0": {"logic": "OR", "=x": ""}}}, {"filter": [{"logic": "OR", "=x": ""}]}),
        ({"t": "a&b=c[d]+%5B é 中 😀 \n#?"}, {"t": "a&b=c[d]+%5B é 中 😀 \n#?"}),
        ({"t": "$result"}, {"t": "$result"}),
        ({"select": ("id", "title")}, {"select": ["id", "title"]}),
    ],
)
def test_a_portal_reads_what_was_meant(parameters: Mapping[str, object], read: object) -> None:
    assert sent(Command(GET, parameters)) == read


def test_the_commands_of_a_batch_are_numbered() -> None:
    assert encode_batch([get(7), get(8)], halt=True, first=50).parameters == {
        "halt": 1,
        "cmd": {"c50": "biconnector.connector.get?id=7", "c51": "biconnector.connector.get?id=8"},
    }


def deep(levels: int) -> object:
    return {"x": deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"active": True}, "active is a boolean"),
        ({"fields": {"supportMapping": False}}, r"fields\[supportMapping\] is a boolean"),
        ({"update": [{"id": 1, "visible": True}]}, r"update\[0\]\[visible\] is a boolean"),
        ({"filter": {"dateUpdate": None}}, r"filter\[dateUpdate\] is neither text nor a number"),
        ({"fields": {"sort": float("nan")}}, "neither text nor a number"),
        ({"fields": {"logo": b"s3cret"}}, "neither text nor a number"),
        ({"filter": {"@id": []}}, r"filter\[@id\] is empty"),
        ({"fields": {}}, "fields is empty"),
        ({"fields": {"settings": {"a[b]": "s3cret"}}}, r"a key in fields\[settings\] is empty or holds a bracket"),
        ({"fields": {"": "s3cret"}}, "a key in fields is empty"),
        ({"fields": {"title": "s3cret $result[c0][id]"}}, r"fields\[title\] would be taken for a reference"),
        ({"fields": {"x": Secret("s3cret $result[")}}, "would be taken for a reference"),
        ({"fields": deep(70)}, "nested too deeply"),
        ({"fields": list(range(1001))}, "more than 1000 values"),
        ({"fields": {"x": BatchReference(0, "id")}}, "not in an earlier result"),
    ],
)  # fmt: skip
def test_what_would_not_arrive_as_it_is_is_refused(parameters: Mapping[str, object], why: str) -> None:
    refusal = encode_command(Command(ADD, parameters))
    assert isinstance(refusal, InvalidRequestError)
    assert re.search(why, str(refusal))
    assert "biconnector.source.add cannot be sent in a batch" in str(refusal)
    assert "Nothing was sent" in str(refusal)
    assert "s3cret" not in str(refusal)


def test_half_a_character_is_refused_without_its_text() -> None:
    with pytest.raises(InvalidRequestError, match="half a Unicode character") as refused:
        encode_batch([add(title="s3cret \ud800")])
    assert "s3cret" not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_has_1_to_50_commands(count: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"1 to 50 commands, not {count}"):
        encode_batch([get()] * count)


def test_a_batch_does_not_hold_a_batch() -> None:
    with pytest.raises(InvalidRequestError, match="cannot contain a batch"):
        encode_batch([Command(BATCH, {"cmd": {}})])


def test_a_command_with_a_secret_is_a_secret() -> None:
    batch = encode_batch([get(), add(settings={"password": Secret("s3cret&")})])
    assert "s3cret" not in repr(batch)
    assert isinstance(batch.parameters["cmd"], dict)
    assert [type(command) for command in batch.parameters["cmd"].values()] == [str, Secret]
    assert sent(add(settings={"password": Secret("s3cret&")})) == {
        "fields": {"settings": {"password": "s3cret&"}}
    }


def test_a_reference_names_a_part_of_an_earlier_result() -> None:
    command = add(connectorId=BatchReference(3, "item", 0, "id"))
    assert sent(command, range(2, 4)) == {"fields": {"connectorId": "$result[c3][item][0][id]"}}


@pytest.mark.parametrize(
    "reference",
    [BatchReference(1, "id"), BatchReference(-1, "id"), BatchReference(0), BatchReference(0, "a]")],
)
def test_a_reference_that_leads_nowhere_is_refused(reference: BatchReference) -> None:
    with pytest.raises(InvalidRequestError, match=r"not in an earlier result|holds a bracket"):
        encode_batch([get(), add(connectorId=reference)])


def test_a_batch_does_what_its_commands_do() -> None:
    read = encode_batch([get(), Command(method("source", "fields"), {})]).method
    assert (read.name, read.effect, read.repeatable, read.webhook) == ("batch", Effect.READ, True, False)
    assert encode_batch([Command(method("source", "fields"), {})]).method.webhook
    assert encode_batch([get(), add(title="x")]).method == BATCH
    assert (BATCH.effect, BATCH.repeatable, BATCH.group) == (Effect.UPDATE, False, "batch")


# What comes back


def outcomes(result: object, count: int = 2, *, halt: bool = False) -> list[object]:
    return encode_batch([get(number + 1) for number in range(count)], halt=halt).parse(result)


def body(results: object, errors: object = None) -> object:
    return {"result": results, "result_error": errors or [], "result_time": []}


@pytest.mark.parametrize("value", [True, None, [], {"item": 1}, {"error": None}, "text"])
def test_a_result_is_returned_as_it_came(value: object) -> None:
    assert outcomes(body({"c1": value, "c0": 1})) == [1, value]


@pytest.mark.parametrize(
    "result",
    [
        body({"c0": 1, "c1": {"error": NOT_FOUND}}),
        body({"c0": 1, "c1": NOT_FOUND}),
        body({"c0": 1}, {"c1": NOT_FOUND}),
        body({"c0": 1}, {"c1": {"error": NOT_FOUND}}),
        body({"c0": 1, "c1": 2}, {"c1": NOT_FOUND}),
        body([1, {"error": NOT_FOUND}]),
    ],
)
def test_an_error_is_found_in_every_place(result: object) -> None:
    first, second = outcomes(result)
    assert first == 1
    assert isinstance(second, NotFoundError)
    assert (second.code, second.method) == ("CONNECTOR_NOT_FOUND", "biconnector.connector.get")


@pytest.mark.parametrize(
    "result",
    [
        None, [], "text", {}, {"result": None}, {"result": []}, {"result": {}}, body([1]), body([1, 2, 3]), body({"0": 1}),
        body([], {"c0": "text", "c1": {}}), body({}, {"c0": {"error": ["x"]}, "c1": {"error": True}}),
    ],
)  # fmt: skip
def test_a_command_without_an_answer_is_an_error_of_its_own(result: object) -> None:
    found = outcomes(result)
    assert [type(outcome) for outcome in found] == [UnexpectedAnswerError] * 2
    assert all("biconnector.connector.get" in str(outcome) for outcome in found)


def test_a_write_without_an_answer_may_have_happened() -> None:
    (outcome,) = encode_batch([add(title="x")]).parse(body([]))
    assert "may have been made all the same. Look with biconnector.source.list" in str(outcome)


def test_after_a_halt_the_rest_was_not_run() -> None:
    stopped = outcomes(body({"c0": 1}, {"c1": NOT_FOUND}), 3, halt=True)
    assert [type(outcome) for outcome in stopped] == [int, NotFoundError, SkippedError]
    assert isinstance(outcomes(body({"c0": 1}, {"c1": NOT_FOUND}), 3)[2], UnexpectedAnswerError)
    assert isinstance(outcomes(body({"c0": 1}), 2, halt=True)[1], UnexpectedAnswerError)


def test_what_cannot_be_read_fails_alone() -> None:
    commands = [Command(GET, {}, lambda reply: parse_id(GET, reply))] * 2
    good, bad = encode_batch(commands).parse(body({"c0": {"id": "5"}, "c1": {"id": "x"}}))
    assert good == 5
    assert isinstance(bad, UnexpectedAnswerError)


def test_an_echoed_secret_is_masked() -> None:
    command = add(settings={"password": Secret("s3cret")})
    said = {"error": "SOME_CODE", "error_description": "s3cret is wrong"}
    for result in (body({}, {"c0": said}), body({"c0": said})):
        assert "••• is wrong" in str(encode_batch([command]).parse(result)[0])
    root = RefusedError(method="batch", code="X", message="s3cret is wrong", hint="", status=400)
    assert "••• is wrong" in str(fail_batch([command], root)[0])


# A batch that failed as a whole


def unreachable(*, may_have_happened: bool) -> UnreachableError:
    return UnreachableError("batch: no answer.", method="batch", may_have_happened=may_have_happened)


@pytest.mark.parametrize("happened", [True, False])
def test_reads_failed_and_writes_may_have_happened(happened: bool) -> None:
    read, write = fail_batch([get(), add()], unreachable(may_have_happened=happened))
    assert isinstance(read, UnreachableError)
    assert isinstance(write, UnreachableError)
    assert (read.may_have_happened, write.may_have_happened) == (False, happened)
    assert (read.method, write.method) == ("biconnector.connector.get", "biconnector.source.add")
    assert ("Look with biconnector.source.list" in str(write)) == happened
    assert "Look with" not in str(read)


def test_an_error_of_the_portal_becomes_each_commands_own() -> None:
    refusal = LimitError(
        method="batch", code="OPERATION_TIME_LIMIT", message="wait", hint="Again at noon.", status=429
    )
    refusal.retry_at = 99.0
    read, write = fail_batch([get(), add()], refusal)
    for error, name in ((read, "biconnector.connector.get"), (write, "biconnector.source.add")):
        assert isinstance(error, LimitError)
        assert (error.method, error.status, error.retry_at) == (name, 429, 99.0)
        assert str(error) == f"{name} refused. OPERATION_TIME_LIMIT: wait. Again at noon."


def test_a_portal_that_failed_inside_may_have_written() -> None:
    broken = RefusedError(
        method="batch", code="INTERNAL_SERVER_ERROR", message="", hint="Of the batch.", status=500
    )
    read, write = fail_batch([get(), add()], broken)
    assert "Of the batch" not in f"{read} {write}"
    assert "Try again later" in str(read)
    assert "may have been made all the same. Look with biconnector.source.list" in str(write)
    page = UnexpectedAnswerError("batch: an HTML page.", method="batch", status=502)
    read, write = fail_batch([get(), add()], page)
    assert "It only reads" in str(read)
    assert "Look with biconnector.source.list" in str(write)


def test_what_was_refused_before_sending_stays_as_it_is() -> None:
    refusal = ConfigError("no portal")
    assert fail_batch([get(), add()], refusal) == [refusal, refusal]


# On a portal


def failed(found: list[Any]) -> list[type[BiMcpError]]:
    return [type(outcome) for outcome in found if isinstance(outcome, BiMcpError)]


async def test_typed_calls_go_in_and_typed_results_or_errors_come_out(portal: Portal) -> None:
    dataset_id = await add_dataset(portal.bi)
    bi, seen = portal.bi, len(portal.calls.methods)
    connector, missing, pages, added, taken, described = await bi.batch(
        [
            bi.connectors.commands.get(1),
            bi.sources.commands.get(99),
            bi.datasets.commands.page(Query(filter={"=name": "orders"})),
            bi.datasets.commands.add(dataset_fields(1, "b & c".replace(" & ", "_"))),
            bi.datasets.commands.add(dataset_fields(1, "orders")),
            bi.connectors.commands.fields(),
        ]
    )
    assert isinstance(connector, Connector)
    assert isinstance(missing, NotFoundError)
    assert missing.method == "biconnector.source.get"
    assert isinstance(pages, list)
    assert [dataset.id for dataset in pages if isinstance(dataset, Dataset)] == [dataset_id]
    assert added == dataset_id + 1
    assert isinstance(taken, AlreadyExistsError)
    assert isinstance(described, list)
    assert portal.calls.methods[seen:] == ["batch"]


async def test_a_source_is_made_of_a_connector_of_the_same_batch(portal: Portal) -> None:
    connector = portal.bi.connectors.commands.add(connector_fields(title="a & b = [c]"))
    settings = {"login": Secret("ann"), "password": Secret("p&ss= wörd")}
    fields = {"title": "Shop", "connectorId": BatchReference(0, "id"), "settings": settings}
    connector_id, source = await portal.bi.batch([connector, Command[object](ADD, {"fields": fields})])
    assert (connector_id, source) == (1, {"id": 1})
    assert (await portal.bi.connectors.get(1)).title == "a & b = [c]"
    assert portal.check.received[0]["connection[password]"] == "p&ss= wörd"


async def test_columns_change_in_a_batch_but_for_what_is_a_boolean(portal: Portal) -> None:
    dataset_id = await add_dataset(portal.bi)
    commands = portal.bi.datasets.commands
    changes = ColumnChanges(add=list(columns("PRICE")), delete=[1])
    assert await portal.bi.batch([commands.update_columns(dataset_id, changes)]) == [None]
    shown = [column.name for column in (await portal.bi.datasets.get(dataset_id)).fields or []]
    assert shown == ["TITLE", "PRICE"]
    hiding = commands.update_columns(
        dataset_id, ColumnChanges(update=[ColumnVisibility(id=2, visible=False)])
    )
    seen = len(portal.calls.methods)
    with pytest.raises(InvalidRequestError, match=r"update\[0\]\[visible\] is a boolean"):
        await portal.bi.batch([*[commands.get(dataset_id)] * 50, hiding])
    assert len(portal.calls.methods) == seen


@pytest.mark.parametrize(("count", "requests"), [(0, 0), (1, 1), (50, 1), (51, 2), (120, 3)])
async def test_a_request_carries_50(tables: Portal, count: int, requests: int) -> None:
    commands = [tables.bi.connectors.commands.add(connector_fields(title=f"{n}")) for n in range(count)]
    assert await tables.bi.batch(commands) == list(range(1, count + 1))
    assert tables.calls.methods == ["batch"] * requests


async def test_a_reference_does_not_reach_into_another_request(tables: Portal) -> None:
    commands = [Command[object](GET, {"id": 1})] * 50
    with pytest.raises(InvalidRequestError, match="of the same batch"):
        await tables.bi.batch([*commands, Command(GET, {"id": BatchReference(49, "item", "id")})])
    assert tables.calls.methods == []


@pytest.mark.parametrize("fault", ["cut_after", "cut_before", "html", "truncated", "internal_error_after"])
async def test_a_request_that_failed_says_what_is_known_of_each_command(tables: Portal, fault: str) -> None:
    await add_source(tables.bi)
    tables.faults.arm(fault, method="batch")
    commands: list[Command[object]] = [
        tables.bi.connectors.commands.get(1),
        tables.bi.connectors.commands.add(connector_fields(title="second")),
        *[tables.bi.connectors.commands.get(1)] * 48,
        tables.bi.sources.commands.delete(1),
    ]
    found = await tables.bi.batch(commands)
    read, write, last = found[0], found[1], found[50]
    assert isinstance(read, UnreachableError | UnexpectedAnswerError | PortalError)
    assert "Look with" not in str(read)
    assert isinstance(write, UnreachableError | UnexpectedAnswerError | PortalError)
    assert write.method == "biconnector.connector.add"
    assert "Look with biconnector.connector.list before you send it again" in str(write)
    assert isinstance(last, SkippedError)
    assert (await tables.bi.sources.get(1)).id == 1


@pytest.mark.parametrize("halt", [True, False])
async def test_halt_stops_after_the_request_with_an_error(tables: Portal, halt: bool) -> None:
    commands = [tables.bi.connectors.commands.get(99), *[tables.bi.connectors.commands.get(99)] * 59]
    found = await tables.bi.batch(commands, halt=halt)
    assert failed(found) == [NotFoundError] * 50 + [SkippedError if halt else NotFoundError] * 10
    assert len(tables.calls.methods) == (1 if halt else 2)


async def test_a_webhook_may_send_a_batch_of_what_it_may_call() -> None:
    async with a_portal(credential=Webhook(Secret(WEBHOOK))) as portal:
        described = await portal.bi.batch([portal.bi.sources.commands.fields()])
        refused = await portal.bi.batch([portal.bi.sources.commands.get(1)])
    assert failed(described) == []
    assert failed(refused) == [InvalidRequestError]

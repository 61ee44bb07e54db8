"""After a write that broke off: what the client looks for, what it takes for its own, and what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import anyio
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.errors import (
    AccessDeniedError,
    BiMcpError,
    InterruptedWriteError,
    InvalidRequestError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.error_codes import error_for
from bi_mcp.rest.methods import method
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility, ConnectorChanges, Parameter, SourceChanges
from bi_mcp.rest.recovery import (
    Done,
    NotDone,
    judge_columns,
    judge_creation,
    judge_update,
    may_have_happened,
)
from bi_mcp.rest.request import Command
from bi_mcp.rest.transport import HttpTransport
from tests.rest.calling import (
    LOOPBACK,
    TOKEN,
    Portal,
    Recorder,
    UrlCheck,
    a_portal,
    add_dataset,
    add_source,
    columns,
    connect,
    connector_fields,
    dataset_fields,
    portal_app,
    source_fields,
)

pytestmark = pytest.mark.anyio

ADD = method("connector", "add")


def refusal(code: str, status: int = 500) -> PortalError:
    return error_for(ADD, code, "", status)


@pytest.mark.parametrize(
    ("error", "may_have"),
    [
        (UnreachableError("", method=ADD.name, may_have_happened=True), True),
        (UnreachableError("", method=ADD.name, may_have_happened=False), False),
        (UnexpectedAnswerError("", method=ADD.name, status=200), True),
        (UnexpectedAnswerError("", method=ADD.name, status=502), True),
        (UnexpectedAnswerError("", method=ADD.name, status=302), False),
        (UnexpectedAnswerError("", method=ADD.name, status=429), False),
        (refusal("INTERNAL_SERVER_ERROR"), True),
        (refusal("ERROR_UNEXPECTED_ANSWER"), True),
        (refusal("SOMETHING_NEW", 500), False),
        (refusal("", 200), False),
        (refusal("", 500), False),
        (refusal("SOMETHING_NEW", 200), False),
        (refusal("QUERY_LIMIT_EXCEEDED", 503), False),
        (refusal("PORTAL_DELETED", 500), False),
        (refusal("expired_token", 401), False),
        (refusal("DATASET_UPDATE_ERROR", 200), False),
        (InvalidRequestError("no"), False),
    ],
)
def test_which_ends_of_a_call_leave_open_whether_it_happened(error: BiMcpError, may_have: bool) -> None:
    assert may_have_happened(error) == may_have


SENT = {"title": "Shop", "connectorId": 5, "settings": {"password": Secret("s3cret")}}


@pytest.mark.parametrize(
    ("newer", "outcome"),
    [
        ([], "not_done"),
        ([{"id": 9, "title": "Other", "connectorId": 5}], "not_done"),
        ([{"id": 9, "title": "Shop", "connectorId": 5}], 9),
        ([{"id": 9, "title": " Shop ", "connectorId": 5}], 9),
        ([{"id": 8, "title": "Other", "connectorId": 5}, {"id": 9, "title": "Shop", "connectorId": 5}], 9),
        ([{"id": 9, "title": "Shop", "connectorId": 6}], "unknown"),
        ([{"id": 9, "title": "Shop", "connectorId": None}], "unknown"),
        ([{"id": 9, "title": "Shop", "connectorId": 5}, {"id": 10, "title": "Shop", "connectorId": 5}], "unknown"),
    ],
)  # fmt: skip
def test_only_a_single_new_object_that_agrees_is_taken_for_the_own(
    newer: list[Mapping[str, object]], outcome: object
) -> None:
    finding = judge_creation("source", SENT, newer)
    assert (finding.value if isinstance(finding, Done) else finding.outcome) == outcome
    assert "s3cret" not in repr(finding)


SETTING = {"code": "password", "value": Secret("s3cret")}


@pytest.mark.parametrize(
    ("sent", "found", "expected"),
    [
        ({"title": "New"}, {"title": "New"}, "done"),
        ({"title": "New"}, {"title": "Old"}, "not_done"),
        ({"description": ""}, {"description": None}, "done"),
        ({"title": "New", "description": "x"}, {"title": "New", "description": "y"}, "partly"),
        ({"settings": {"password": Secret("s3cret")}}, {"settings": [SETTING]}, "done"),
        ({"settings": {"password": Secret("other")}}, {"settings": [SETTING]}, "not_done"),
        ({"settings": {"login": Secret("ann")}}, {"settings": [SETTING]}, "not_done"),
        ({"settings": {"password": Secret("s3cret")}}, {"settings": None}, "not_done"),
        ({"active": True}, {"active": True}, "unknown"),
        ({"active": True, "title": "New"}, {"active": False, "title": "New"}, "done"),
    ],
)
def test_an_update_is_compared_field_by_field(
    sent: Mapping[str, object], found: Mapping[str, object], expected: str
) -> None:
    finding = judge_update("source", sent, found)
    assert (finding.outcome if isinstance(finding, NotDone) else "done") == expected
    assert "s3cret" not in repr(finding)


def test_a_connectors_parameters_are_compared_as_a_whole() -> None:
    login = {"code": "login", "name": "Login", "type": "STRING"}
    port = {"code": "port", "name": "Port", "type": "INT"}
    sent = {"settings": [login, port]}
    assert judge_update("connector", sent, {"settings": [{**port, "id": 7}, login]}) == Done(None)
    assert isinstance(judge_update("connector", sent, {"settings": [login]}), NotDone)
    assert isinstance(judge_update("connector", sent, {"settings": [login, port, {"code": "x"}]}), NotDone)


COLUMNS = [
    {"id": 1, "name": "ID", "externalCode": "id", "type": "int", "visible": True},
    {"id": 2, "name": "PRICE", "externalCode": "price", "type": "double", "visible": False},
]
PRICE = {"name": "PRICE", "externalCode": "price", "type": "double"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"add": [PRICE], "update": [{"id": 2, "visible": False}], "delete": [3]}, "done"),
        ({"add": [{**PRICE, "externalCode": "cost"}], "delete": [1]}, "not_done"),
        ({"add": [{**PRICE, "type": "int"}]}, "not_done"),
        ({"update": [{"id": 9, "visible": True}]}, "not_done"),
        ({"add": [PRICE], "delete": [1]}, "partly"),
    ],
)
def test_columns_are_compared_by_code_and_id(changes: Mapping[str, object], expected: str) -> None:
    finding = judge_columns(changes, COLUMNS)
    assert (finding.outcome if isinstance(finding, NotDone) else "done") == expected


def test_what_is_done_in_part_is_named_in_both_parts() -> None:
    finding = judge_columns({"add": [PRICE], "update": [{"id": 1, "visible": False}]}, COLUMNS)
    assert finding == NotDone(
        "partly",
        "changed as requested: new column PRICE; not changed, at least so far: visibility of column 1",
    )


async def test_an_older_object_with_the_same_title_is_not_taken_for_the_new_one(portal: Portal) -> None:
    connectors = portal.bi.connectors
    await connectors.add(connector_fields())
    portal.faults.arm("cut_before", method="biconnector.connector.add")
    with pytest.raises(
        InterruptedWriteError,
        match=r"^biconnector\.connector\.add: the portal gave no answer\. .*no connector “Shop” has been created so far\. "
        r"The portal may work on it for another minute, so it was not sent again\. Look with biconnector\.connector\.list",
    ) as raised:
        await connectors.add(connector_fields())
    assert (raised.value.outcome, raised.value.method) == ("not_done", "biconnector.connector.add")
    portal.faults.arm("cut_after", method="biconnector.connector.add")
    assert await connectors.add(connector_fields()) == 2
    assert [item.id for item in (await connectors.list_page()).items] == [1, 2]


async def test_a_creation_looks_once_before_and_only_after_a_failure_again(tables: Portal) -> None:
    await tables.bi.connectors.add(connector_fields())
    assert tables.calls.methods == ["connector.list", "connector.add"]
    tables.faults.arm("empty", method="biconnector.connector.add")
    await tables.bi.connectors.add(connector_fields(title="Other"))
    assert tables.calls.methods[2:] == ["connector.list", "connector.add", "connector.list"]


async def test_creations_of_the_same_name_wait_for_each_other_and_others_do_not(tables: Portal) -> None:
    slow = tables.faults.arm("slow", method="biconnector.connector.add")
    tables.faults.arm("cut_before", method="biconnector.connector.add")
    outcomes: dict[str, object] = {}

    async def add(name: str, title: str) -> None:
        try:
            outcomes[name] = await tables.bi.connectors.add(connector_fields(title=title))
        except InterruptedWriteError as error:
            outcomes[name] = error.outcome

    async with anyio.create_task_group() as group:
        group.start_soon(add, "first", "Shop")
        await slow.reached.wait()
        group.start_soon(add, "second", "Shop")
        await anyio.wait_all_tasks_blocked()
        assert tables.calls.methods == ["connector.list", "connector.add"]
        slow.release.set()
    # The second one broke off before it happened, and did not take the first one's object for its own.
    assert outcomes == {"first": 1, "second": "not_done"}
    slow = tables.faults.arm("slow", method="biconnector.connector.add")
    async with anyio.create_task_group() as group:
        group.start_soon(add, "slow", "Shop")
        await slow.reached.wait()
        await add("other", "Bakery")
        assert outcomes["other"] == 3
        slow.release.set()


@dataclass
class AlsoAdding:
    """A portal on which a colleague creates an object of the same title in the same moment."""

    app: ASGIApp
    colleague: BIConnector
    times: int = 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("connector.add") and self.times:
            self.times -= 1
            await self.colleague._transport.send(Command(ADD, {"fields": connector_fields().to_wire()}))
        await self.app(scope, receive, send)


async def test_two_new_objects_that_look_alike_are_told_with_their_ids(tables: Portal) -> None:
    async with connect(AlsoAdding(tables.app, tables.bi)) as bi:
        tables.faults.arm("cut_after", method="biconnector.connector.add", skip=1)
        with pytest.raises(
            InterruptedWriteError, match=r"may be this one \(ids 1, 2\).*unknown.*second connector"
        ) as raised:
            await bi.connectors.add(connector_fields())
    assert raised.value.outcome == "unknown"


async def test_a_dataset_of_another_source_is_not_taken_for_the_own(tables: Portal) -> None:
    await add_source(tables.bi)
    await tables.bi.sources.add(source_fields(1))
    tables.faults.arm("cut_after", method="biconnector.dataset.add")
    assert await tables.bi.datasets.add(dataset_fields(2)) == 1
    assert tables.calls.methods[-3:] == ["dataset.add", "dataset.list", "dataset.get"]


async def test_a_dataset_without_its_columns_is_made_in_part(tables: Portal) -> None:
    await add_source(tables.bi)
    shown = '{"result": {"item": {"id": 1, "fields": [{"id": 1, "name": "ID", "externalCode": "id", "type": "string"}]}}}'
    async with connect(Replaced(tables.app, {"dataset.get": shown})) as bi:
        tables.faults.arm("cut_after", method="biconnector.dataset.add")
        with pytest.raises(
            InterruptedWriteError, match=r"dataset 1 is there; .*at least so far: new column TITLE\."
        ) as raised:
            await bi.datasets.add(dataset_fields(1))
    assert raised.value.outcome == "partly"


@dataclass
class Replaced:
    """A portal some of whose methods answer something else, with HTTP 200."""

    app: ASGIApp
    answers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.answers.get(scope["path"].rpartition("biconnector.")[2])
        if answer is None:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer.encode()})


async def test_where_the_objects_before_cannot_be_read_an_interrupted_creation_is_unknown(
    tables: Portal,
) -> None:
    tables.faults.arm("html", method="biconnector.connector.list")
    tables.faults.arm("cut_after", method="biconnector.connector.add")
    with pytest.raises(
        InterruptedWriteError, match="which connectors there were before could not be read"
    ) as raised:
        await tables.bi.connectors.add(connector_fields())
    assert raised.value.outcome == "unknown"
    assert tables.calls.methods == ["connector.list", "connector.add"]


async def test_a_refused_look_does_not_keep_a_creation_back(tables: Portal) -> None:
    tables.faults.arm("operation_limit", method="biconnector.connector.list")
    assert await tables.bi.connectors.add(connector_fields()) == 1


async def test_who_may_not_create_is_told_so_by_the_creation(tables: Portal) -> None:
    denied = '{"result": {"error": {"error": "ACCESS_DENIED", "error_description": "Access denied."}}}'
    answers = {"connector.add": denied, "connector.list": denied}
    async with connect(Replaced(tables.app, answers)) as bi:
        with pytest.raises(AccessDeniedError) as raised:
            await bi.connectors.add(connector_fields())
    assert raised.value.method == "biconnector.connector.add"


async def test_where_the_look_fails_too_both_failures_are_told(tables: Portal) -> None:
    connector_id = await tables.bi.connectors.add(connector_fields())
    tables.faults.arm("internal_error_after", method="biconnector.connector.update")
    tables.faults.arm("html", method="biconnector.connector.get")
    with pytest.raises(
        InterruptedWriteError,
        match=r"had an internal error \(INTERNAL_SERVER_ERROR, HTTP 500\).*look failed too .*an HTML page.*unknown",
    ) as raised:
        await tables.bi.connectors.update(connector_id, ConnectorChanges(title="New"))
    assert raised.value.outcome == "unknown"
    assert isinstance(raised.value.__cause__, PortalError)


async def test_an_update_of_settings_is_found_without_showing_a_value(portal: Portal) -> None:
    source_id = await add_source(portal.bi)
    changes = SourceChanges(settings={"password": Secret("pass-word-canary")})
    portal.faults.arm("truncated", method="biconnector.source.update")
    await portal.bi.sources.update(source_id, changes)
    portal.faults.arm("cut_before", method="biconnector.source.update")
    changes = SourceChanges(title="Other", settings={"password": Secret("pass-word-canary")})
    with pytest.raises(
        InterruptedWriteError, match=r"changed as requested: settings; not changed, at least so far: title"
    ) as raised:
        await portal.bi.sources.update(source_id, changes)
    assert "canary" not in f"{raised.value} {raised.value!r}"


async def test_parameters_of_a_connector_are_found_changed(portal: Portal) -> None:
    connector_id = await portal.bi.connectors.add(connector_fields())
    portal.faults.arm("cut_after", method="biconnector.connector.update")
    changes = ConnectorChanges(settings=[Parameter(code="port", name="Port", type="INT")], sort=5)
    await portal.bi.connectors.update(connector_id, changes)


async def test_only_a_changed_logo_cannot_be_told(portal: Portal) -> None:
    connector_id = await portal.bi.connectors.add(connector_fields())
    portal.faults.arm("cut_after", method="biconnector.connector.update")
    with pytest.raises(InterruptedWriteError, match="does not show whether logo changed") as raised:
        await portal.bi.connectors.update(connector_id, ConnectorChanges(logo="https://shop.example/l.png"))
    assert raised.value.outcome == "unknown"


async def test_columns_are_found_changed_or_not(portal: Portal) -> None:
    dataset_id = await add_dataset(portal.bi)
    changes = ColumnChanges(
        add=list(columns("PRICE")), update=[ColumnVisibility(id=1, visible=False)], delete=[2]
    )
    portal.faults.arm("cut_before", method="biconnector.dataset.fields.update")
    with pytest.raises(InterruptedWriteError, match="nothing has changed so far") as raised:
        await portal.bi.datasets.update_columns(dataset_id, changes)
    assert raised.value.outcome == "not_done"
    portal.faults.arm("cut_after", method="biconnector.dataset.fields.update")
    await portal.bi.datasets.update_columns(dataset_id, changes)
    assert portal.calls.methods.count("dataset.fields.update") == 2


@pytest.fixture
async def failing_deletion() -> AsyncIterator[Portal]:
    async with a_portal("tables") as portal:
        await add_dataset(portal.bi)
        yield portal


async def test_a_deletion_is_found_done_and_reports_what_stays_behind(failing_deletion: Portal) -> None:
    failing_deletion.faults.arm("cut_after", method="biconnector.table.delete")
    deletion = await failing_deletion.bi.datasets.delete_reporting(1)
    assert deletion.orphaned_builder_dataset == 1


async def test_a_deletion_that_is_not_done_so_far_is_not_sent_again(failing_deletion: Portal) -> None:
    failing_deletion.faults.arm("html", method="biconnector.table.delete")
    with pytest.raises(
        InterruptedWriteError, match=r"dataset 1 is still there.*Look with biconnector\.dataset\.list"
    ):
        await failing_deletion.bi.datasets.delete(1)
    assert failing_deletion.calls.methods.count("table.delete") == 1


async def test_an_unreachable_portal_is_told_before_anything_is_created() -> None:
    app = portal_app("tables", "result", UrlCheck())
    calls = Recorder(app)
    async with BIConnector(HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=calls)) as bi:
        app.state.faults.arm("cut_before")
        with pytest.raises(UnreachableError, match=r"^biconnector\.connector\.add was not sent\.") as raised:
            await bi.connectors.add(connector_fields())
    assert not raised.value.may_have_happened
    assert calls.methods == ["connector.list"]

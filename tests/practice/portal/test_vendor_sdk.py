"""The vendor's own SDK works against the local portal, unchanged and over HTTPS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from b24pysdk import BitrixApp, BitrixToken, Client  # type: ignore[import-untyped]  # the SDK has no types
from b24pysdk.api.requesters import BitrixOAuthRequester  # type: ignore[import-untyped]  # as above
from b24pysdk.errors import (  # type: ignore[import-untyped]  # as above
    BitrixAPIError,
    BitrixAPIInternalServerError,
    BitrixAPIInvalidToken,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal.app import build_portal_app
from bi_mcp.practice.portal.faults import Faults
from bi_mcp.practice.portal.oauth import IssuedTokenStore
from tests.practice.portal.serving import served

NOW = datetime(2026, 1, 15, tzinfo=UTC).timestamp()
COLUMNS = [
    {"name": "ID", "externalCode": "id", "type": "int"},
    {"name": "CITY", "externalCode": "city", "type": "string"},
]


@dataclass
class Running:
    """A portal, and a connector whose `urlCheck` wants the password "open"."""

    address: str
    connector: str
    tokens: IssuedTokenStore
    faults: Faults

    def client(self) -> Any:
        """Log in as an application of its own."""
        application = self.tokens.register("SDK", "https://app.test/")
        issued = self.tokens.issue(application, 7)
        app = BitrixApp(client_id=application.client_id, client_secret=application.client_secret)
        token = BitrixToken(
            domain=self.address,
            auth_token=issued["access_token"],
            refresh_token=issued["refresh_token"],
            bitrix_app=app,
        )
        return Client(token)

    def connector_fields(self) -> dict[str, object]:
        urls = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")
        return {
            "title": "Weather",
            "logo": "https://connector.test/logo.svg",
            "settings": [{"code": "password", "name": "Password", "type": "STRING"}],
            **dict.fromkeys(urls, f"{self.connector}/check"),
        }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A throw-away certificate for 127.0.0.1: paths of the certificate and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local portal")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("certificate")
    (folder / "portal.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "portal.key").write_bytes(private)
    return str(folder / "portal.pem"), str(folder / "portal.key")


@pytest.fixture(scope="module")
def loop() -> Iterator[BlockingPortal]:
    """The servers' event loop, in a thread of its own: the SDK is synchronous."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def connector(loop: BlockingPortal) -> Iterator[str]:
    async def check(request: Request) -> Response:
        async with request.form() as form:
            return PlainTextResponse("ok", 200 if form["connection[password]"] == "open" else 403)

    app = Starlette(routes=[Route("/check", check, methods=["POST"])])
    with loop.wrap_async_context_manager(served(app)) as address:
        yield f"http://{address}"


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> LocalPortalSettings:
    """A classic portal, where `dataset.delete` works; parametrize indirectly for another one."""
    return LocalPortalSettings(**{"generation": "classic", **getattr(request, "param", {})})


@pytest.fixture
def running(
    loop: BlockingPortal,
    certificate: tuple[str, str],
    connector: str,
    settings: LocalPortalSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Running]:
    app = build_portal_app(settings, lambda: NOW, {})
    with loop.wrap_async_context_manager(served(app, certificate=certificate)) as address:
        # Only the places are changed: whom `requests` trusts, and where the SDK looks for the OAuth server.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate[0])
        monkeypatch.setattr(BitrixOAuthRequester, "_OAUTH_TOKEN_URL", f"https://{address}/oauth/token/")
        yield Running(address, connector, app.state.tokens, app.state.faults)


@pytest.fixture
def bi(running: Running) -> Any:
    return running.client().biconnector


def source_fields(connector_id: int, *, password: str = "open") -> dict[str, object]:
    return {"title": "Stations", "connectorId": connector_id, "settings": {"password": password}}


def dataset_fields(source_id: int) -> dict[str, object]:
    names = {"name": "stations", "externalName": "stations", "externalCode": "stations"}
    return {**names, "sourceId": source_id, "fields": COLUMNS}


def test_a_connector_lives_from_add_to_delete(running: Running, bi: Any) -> None:
    number = bi.connector.add(running.connector_fields()).result["id"]
    assert bi.connector.get(number).result["item"]["title"] == "Weather"
    assert bi.connector.update(number, {"title": "Climate"}).result is True
    listed = bi.connector.list(select=["id", "title"], filter={"=id": number}, order={"id": "ASC"}, page=1)
    assert [item["title"] for item in listed.result] == ["Climate"]
    assert bi.connector.delete(number).result is True
    assert bi.connector.list().result == []


def test_a_source_lives_from_add_to_delete(running: Running, bi: Any) -> None:
    connector_id = bi.connector.add(running.connector_fields()).result["id"]
    number = bi.source.add(source_fields(connector_id)).result["id"]
    item = bi.source.get(number).result["item"]
    assert item["connectorId"] == connector_id
    assert [(setting["code"], setting["value"]) for setting in item["settings"]] == [("password", "open")]
    assert bi.source.update(number, {"description": "All of them"}).result is True
    assert len(bi.source.list(order={"id": "DESC"}).result) == 1
    assert bi.source.delete(number).result is True


def test_a_dataset_lives_from_add_to_delete_and_its_columns_change(running: Running, bi: Any) -> None:
    connector_id = bi.connector.add(running.connector_fields()).result["id"]
    source_id = bi.source.add(source_fields(connector_id)).result["id"]
    number = bi.dataset.add(dataset_fields(source_id)).result["id"]
    columns = bi.dataset.get(number).result["item"]["fields"]
    assert [column["name"] for column in columns] == ["ID", "CITY"]
    changed = bi.dataset.fields.update(
        number,
        add=[{"name": "RAIN", "externalCode": "rain", "type": "double"}],
        update=[{"id": columns[0]["id"], "visible": False}],
        delete=[columns[1]["id"]],
    )
    assert changed.result is True
    columns = bi.dataset.get(number).result["item"]["fields"]
    assert [(column["name"], column["visible"]) for column in columns] == [("ID", False), ("RAIN", True)]
    assert bi.dataset.update(number, {"description": "Rain"}).result is True
    assert [item["description"] for item in bi.dataset.list().result] == ["Rain"]
    assert bi.dataset.delete(number).result is True


def test_the_field_descriptions_name_the_required_fields(bi: Any) -> None:
    for group, required in (
        (bi.connector.fields(), "urlCheck"),
        (bi.source.fields(), "connectorId"),
        (bi.dataset.fields(), "externalName"),
    ):
        described = {field["title"]: field for field in group.result["fields"]}
        assert described[required]["isRequired"] is True
        assert described["id"]["isReadOnly"] is True


def test_a_source_that_its_connector_refuses_is_not_created(running: Running, bi: Any) -> None:
    connector_id = bi.connector.add(running.connector_fields()).result["id"]
    refused = bi.source.add(source_fields(connector_id, password="shut")).result
    assert refused["error"]["error"] == "SOURCE_CREATE_CONNECTION_ERROR"
    assert bi.source.list().result == []


def test_the_sdk_takes_an_error_of_the_module_for_a_result(bi: Any) -> None:
    assert bi.source.get(404).result["error"]["error"] == "SOURCE_NOT_FOUND"


@pytest.mark.parametrize("settings", [{"errors": "root"}], indirect=True)
def test_the_sdk_raises_an_error_of_the_module_at_the_root(bi: Any) -> None:
    # The error is not kept: it holds the connection, and the server waits for that one to close.
    with pytest.raises(BitrixAPIError, match="Source was not found"):
        bi.source.get(404).call()


@pytest.mark.parametrize("settings", [{"generation": "tables"}], indirect=True)
def test_on_a_portal_with_tables_deleting_a_dataset_ends_with_an_internal_error(
    running: Running, bi: Any
) -> None:
    connector_id = bi.connector.add(running.connector_fields()).result["id"]
    source_id = bi.source.add(source_fields(connector_id)).result["id"]
    number = bi.dataset.add(dataset_fields(source_id)).result["id"]
    with pytest.raises(BitrixAPIInternalServerError):
        bi.dataset.delete(number).call()


def test_a_batch_runs_the_commands_and_separates_the_two_kinds_of_errors(running: Running) -> None:
    client = running.client()
    commands = {
        "new": client.biconnector.connector.add(running.connector_fields()),
        "gone": client.biconnector.connector.get(404),
        "all": client.biconnector.connector.list(order={"id": "ASC"}),
        "odd": client.crm.deal.get(1),
    }
    batch = client.call_batch(commands).result
    number = batch.result["new"]["id"]
    assert [int(item["id"]) for item in batch.result["all"]] == [number]
    assert batch.result["gone"]["error"]["error"] == "CONNECTOR_NOT_FOUND"
    assert set(batch.result_error) == {"odd"}
    assert batch.result_error["odd"]["error"] == "ERROR_METHOD_NOT_FOUND"
    assert batch.result_time["new"].start == NOW


def test_more_commands_than_one_batch_takes_are_merged(running: Running) -> None:
    client = running.client()
    merged = client.call_batches([client.biconnector.connector.fields() for _ in range(60)]).result
    assert len(merged.result) == 60


def test_the_sdk_logs_in_with_a_code(running: Running) -> None:
    application = running.tokens.register("SDK", "https://app.test/")
    app = BitrixApp(client_id=application.client_id, client_secret=application.client_secret)
    renewed = app.get_oauth_token(running.tokens.authorise(application, 7))
    assert (renewed.user_id, renewed.scope, renewed.domain) == (7, ["biconnector"], running.address)
    token = BitrixToken(domain=running.address, auth_token=renewed.oauth_token.access_token, bitrix_app=app)
    assert Client(token).biconnector.connector.list().result == []


def test_the_sdk_refreshes_an_expired_token_and_goes_on(running: Running) -> None:
    client = running.client()
    before = client._bitrix_token.auth_token
    running.faults.arm("expired_token")
    assert client.biconnector.connector.list().result == []
    assert client._bitrix_token.auth_token != before


def test_the_sdk_raises_on_an_unknown_token(running: Running) -> None:
    app = BitrixApp(client_id="local.none", client_secret="none")
    token = BitrixToken(domain=running.address, auth_token="unknown", bitrix_app=app)
    with pytest.raises(BitrixAPIInvalidToken):
        Client(token).biconnector.connector.list().call()

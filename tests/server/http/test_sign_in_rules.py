"""Settings that a server to which people sign in does not take, and what its command asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.base.secret import Secret
from bi_mcp.cli import main
from bi_mcp.cli.actions import http_server
from bi_mcp.config import HttpSettings, Settings
from bi_mcp.errors import ConfigError
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving_rules import check_serving
from bi_mcp.server.http.sign_in_rules import check_sign_in, require_fit_for_sign_in

ACME = SignInPortal(url="https://acme.bitrix24.com", client_id="local.1", client_secret=Secret("secret"))
OPTIONS = HttpOptions(host="0.0.0.0", allowed_hosts=("bi.example",), behind_proxy=True, portals=(ACME,))
FIT = Settings(configuration_folder=Path("/config"))


def test_sign_in_is_a_way_to_know_the_callers() -> None:
    assert check_serving(OPTIONS) == []
    require_fit_for_sign_in(FIT, OPTIONS)


@pytest.mark.parametrize(
    ("settings", "options", "told"),
    [
        (FIT, replace(OPTIONS, settings=HttpSettings(token=Secret("t" * 32))), "BI_MCP_HTTP_TOKEN"),
        (FIT, replace(OPTIONS, settings=HttpSettings(issuer="https://login.example")), "BI_MCP_HTTP_ISSUER"),
        (replace(FIT, portal_url="https://acme.example"), OPTIONS, "BI_MCP_PORTAL_URL"),
        (replace(FIT, profiles=("acme",)), OPTIONS, "--profile"),
        (replace(FIT, webhook_url=Secret("https://acme.example/rest/1/x")), OPTIONS, "BI_MCP_WEBHOOK"),
        (replace(FIT, workspace_folder=Path("setup")), OPTIONS, "--workspace"),
        (replace(FIT, secrets_folder=Path("secrets")), OPTIONS, "--secrets-dir"),
        (Settings(), OPTIONS, "BI_MCP_CONFIG_DIR"),
    ],
)
def test_what_everybody_would_share_is_refused(settings: Settings, options: HttpOptions, told: str) -> None:
    (problem,) = check_sign_in(settings, options)
    assert told in problem
    with pytest.raises(ConfigError, match="does not start with --sign-in"):
        require_fit_for_sign_in(settings, options)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sign-in"], "Add --http."),
        (["--http", "--portal", "https://acme.example"], "Add --http --sign-in."),
        (["--http", "--sign-in"], "--sign-in needs the portal"),
        (
            ["--http", "--sign-in", "--portal", "https://a.example", "--portals", "f.toml"],
            "Give one of the two",
        ),
        (
            ["--http", "--sign-in", "--portal", "https://acme.example"],
            "BI_MCP_SIGN_IN_CLIENT_ID, BI_MCP_SIGN_IN_CLIENT_SECRET: not set. Register an application in https://acme.example with the handler address https://NAME/sign-in/return",
        ),
    ],
)
def test_the_command_says_what_is_missing(arguments: list[str], told: str, tmp_path: Path) -> None:
    # Nothing of the developer's own settings.
    unset = dict.fromkeys(("BI_MCP_SIGN_IN_CLIENT_ID", "BI_MCP_SIGN_IN_CLIENT_SECRET"))
    environment = {"BI_MCP_CONFIG_DIR": str(tmp_path), **unset}
    shown = CliRunner().invoke(main, ["serve", *arguments], env=environment)
    assert shown.exit_code != 0
    assert told in " ".join((shown.output or str(shown.exception)).split())


@pytest.mark.parametrize(
    "address", ["https://[1", "https://ivan:password@acme.example", "http://acme.example"]
)
def test_an_address_that_is_no_portals_is_refused_in_words(address: str, tmp_path: Path) -> None:
    shown = CliRunner().invoke(
        main,
        ["serve", "--http", "--sign-in", "--portal", address],
        env={
            "BI_MCP_CONFIG_DIR": str(tmp_path),
            "BI_MCP_SIGN_IN_CLIENT_ID": "local.1",
            "BI_MCP_SIGN_IN_CLIENT_SECRET": "of-the-application",
        },
    )
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit | ConfigError)
    told = " ".join((shown.output or str(shown.exception)).split())
    assert "by its address alone, with https" in told
    assert "password" not in told


def test_the_start_names_the_addresses_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They follow from the first name and its port, which is easily another one than the server listens on."""
    monkeypatch.setattr(
        http_server, "serve_http", lambda _build, _options, announce: announce("https://0.0.0.0:8765/mcp")
    )
    options = {"host": "0.0.0.0", "allowed_hosts": ("bi.example:8765",), "behind_proxy": True}
    http_server.run_http_server(FIT, {**options, "portals": OPTIONS.portals}, started=lambda: None)
    told = capsys.readouterr().err
    assert "People add https://bi.example:8765/mcp to their clients." in told
    assert "is https://bi.example:8765/sign-in/return" in told


@pytest.mark.parametrize("variable", ["BI_MCP_SIGN_IN_USERS", "BI_MCP_SIGN_IN_DEPARTMENTS"])
def test_a_list_of_people_that_would_restrict_nobody_is_refused(variable: str, tmp_path: Path) -> None:
    """Ids belong to one portal. Who set the variable beside a file would believe that others are kept out."""
    file = tmp_path / "portals.toml"
    file.write_text(
        '[[portals]]\nurl = "https://acme.example"\nclient_id = "local.1"\nclient_secret = {env = "HOME"}\n'
    )
    shown = CliRunner().invoke(
        main,
        ["serve", "--http", "--sign-in", "--portals", str(file)],
        env={"BI_MCP_CONFIG_DIR": str(tmp_path), variable: "1"},
    )
    assert shown.exit_code != 0
    assert "do not apply to --portals" in " ".join((shown.output or str(shown.exception)).split())


@pytest.mark.parametrize(
    ("options", "origin"),
    [
        (OPTIONS, "https://bi.example"),
        (replace(OPTIONS, allowed_hosts=("bi.example:8443",)), "https://bi.example:8443"),
        (HttpOptions(port=8765), "http://127.0.0.1:8765"),
        (HttpOptions(port=8765, allowed_hosts=("localhost:8765",)), "http://localhost:8765"),
        (HttpOptions(tls_certificate=Path("c"), allowed_hosts=("localhost:8765",)), "https://localhost:8765"),
    ],
)
def test_the_issuer_is_the_address_that_clients_know(options: HttpOptions, origin: str) -> None:
    assert options.origin == origin

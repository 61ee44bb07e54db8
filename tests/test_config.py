from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import (
    LocalPortalSettings,
    Settings,
    embedded_portal_settings,
    http_settings,
    local_portal_settings,
    read_settings,
    sample_culture,
    sample_password,
    secret_variable,
)
from bi_mcp.errors import ConfigError

TOKEN = "token-canary"
WEBHOOK = "https://portal.example/rest/7/webhook-canary/"
PORTAL = "https://portal.example"


def test_with_nothing_set_the_embedded_portal_is_used_and_nothing_is_shown() -> None:
    settings = read_settings({})
    assert (settings.portal_url, settings.access_token, settings.webhook_url) == (None, None, None)
    assert settings.shown_settings == frozenset()
    assert settings.secrets_folder is None
    assert not settings.allow_literal_secrets
    assert settings.confirm == "elicit"


def test_every_variable_of_the_server_is_read() -> None:
    settings = read_settings(
        {
            "BI_MCP_PORTAL_URL": PORTAL,
            "BI_MCP_ACCESS_TOKEN": TOKEN,
            "BI_MCP_SHOW_SETTINGS": "login, host,,",
            "BI_MCP_SECRETS_DIR": "/run/secrets",
            "BI_MCP_ALLOW_LITERAL_SECRETS": "on",
            "BI_MCP_CONFIRM": "token",
            "BI_MCP_READ_ONLY": "on",
            "BI_MCP_TOOLSETS": "sources, tables",
            "BI_MCP_PORTAL_DB": "portal.sqlite3",
            "BI_MCP_CONFIG_DIR": "/etc/bi-mcp",
            "BI_MCP_PROFILE": "prod, test",
            "BI_MCP_LIMITS": "enterprise",
            "BI_MCP_HISTORY": "off",
            "BI_MCP_AUDIT_FILE": "/var/log/bi-mcp.jsonl",
        }
    )
    assert settings == Settings(
        portal_url=PORTAL,
        configuration_folder=Path("/etc/bi-mcp"),
        profiles=("prod", "test"),
        limits="enterprise",
        access_token=Secret(TOKEN),
        shown_settings=frozenset({"login", "host"}),
        secrets_folder=Path("/run/secrets"),
        allow_literal_secrets=True,
        confirm="token",
        read_only=True,
        toolsets=("sources", "tables"),
        embedded=LocalPortalSettings(database="portal.sqlite3"),
        history=False,
        audit_file=Path("/var/log/bi-mcp.jsonl"),
    )


def test_writes_are_recorded_unless_the_user_says_otherwise() -> None:
    settings = read_settings({"BI_MCP_CONFIG_DIR": "/etc/bi-mcp"})
    assert (settings.history, settings.audit_file) == (True, Path("/etc/bi-mcp/audit.jsonl"))
    assert read_settings({"BI_MCP_AUDIT_FILE": "off"}).audit_file is None


def test_a_webhook_stands_alone() -> None:
    assert read_settings({"BI_MCP_WEBHOOK": WEBHOOK}).webhook_url == Secret(WEBHOOK)


def test_every_variable_of_the_local_portal_is_read() -> None:
    environment = {
        "BI_MCP_PORTAL_DB": "portal.sqlite3",
        "BI_MCP_PORTAL_GENERATION": "classic",
        "BI_MCP_PORTAL_ERRORS": "root",
        "BI_MCP_PORTAL_LIMITS": "enterprise",
        "BI_MCP_PORTAL_ACCESS_TOKEN": TOKEN,
        "BI_MCP_PORTAL_WEBHOOK": "7/webhook-canary",
        "BI_MCP_PORTAL_FAULTS": "yes",
        "BI_MCP_PORTAL_CULTURE": "en-gb",
    }
    expected = LocalPortalSettings(
        database="portal.sqlite3",
        generation="classic",
        errors="root",
        limits="enterprise",
        access_token=Secret(TOKEN),
        webhook=Secret("7/webhook-canary"),
        faults=True,
        culture="en-gb",
    )
    assert local_portal_settings(environment) == expected
    assert embedded_portal_settings(environment) == expected
    assert read_settings(environment).embedded == expected


def test_the_local_portal_forgets_and_the_embedded_one_remembers() -> None:
    assert local_portal_settings({}).database == ":memory:"
    assert Path(embedded_portal_settings({}).database).parts[-2:] == ("bi-mcp", "portal.sqlite3")


@pytest.mark.parametrize("name", ["BI_MCP_PORTAL_URL", "BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK", "BI_MCP_SECRETS_DIR", "BI_MCP_PORTAL_DB", "BI_MCP_PORTAL_GENERATION", "BI_MCP_ALLOW_LITERAL_SECRETS", "BI_MCP_CONFIRM", "BI_MCP_READ_ONLY", "BI_MCP_TOOLSETS"])  # fmt: skip
def test_an_empty_variable_counts_as_unset(name: str) -> None:
    assert read_settings({name: ""}) == read_settings({})


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        (
            {"BI_MCP_PORTAL_URL": PORTAL},
            "BI_MCP_PORTAL_URL is set without a credential. Set BI_MCP_ACCESS_TOKEN",
        ),
        (
            {"BI_MCP_ACCESS_TOKEN": TOKEN},
            "BI_MCP_ACCESS_TOKEN is set without a portal. Set BI_MCP_PORTAL_URL",
        ),
        ({"BI_MCP_ACCESS_TOKEN": TOKEN, "BI_MCP_WEBHOOK": WEBHOOK}, "both set. Keep the access token"),
        (
            {"BI_MCP_PORTAL_URL": PORTAL, "BI_MCP_ACCESS_TOKEN": TOKEN, "BI_MCP_WEBHOOK": WEBHOOK},
            "both set. Keep the access token",
        ),
        (
            {"BI_MCP_PORTAL_URL": PORTAL, "BI_MCP_WEBHOOK": WEBHOOK},
            "both set. A webhook's address names its portal",
        ),
    ],
)
def test_variables_that_do_not_fit_together_are_named(environment: Mapping[str, str], text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_settings(environment)
    assert text in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("BI_MCP_PORTAL_GENERATION", "classic, tables"),
        ("BI_MCP_PORTAL_ERRORS", "result, root"),
        ("BI_MCP_PORTAL_LIMITS", "off, standard, enterprise"),
        ("BI_MCP_PORTAL_FAULTS", "on or off"),
        ("BI_MCP_PORTAL_CULTURE", "ru, en, en-gb, de, iso"),
        ("BI_MCP_ALLOW_LITERAL_SECRETS", "on or off"),
        ("BI_MCP_CONFIRM", "elicit, token, off"),
        ("BI_MCP_READ_ONLY", "on or off"),
    ],
)
def test_a_value_that_is_no_choice_is_refused_with_the_choices(name: str, choices: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must be .*{choices}, not 'perhaps'"):
        read_settings({name: "perhaps"})


@pytest.mark.parametrize(
    ("value", "on"),
    [
        ("on", True),
        ("ON", True),
        ("true", True),
        ("1", True),
        ("yes", True),
        ("off", False),
        ("False", False),
        ("0", False),
        ("no", False),
    ],
)
def test_a_switch_has_several_spellings(value: str, on: bool) -> None:
    assert read_settings({"BI_MCP_ALLOW_LITERAL_SECRETS": value}).allow_literal_secrets is on


def test_options_overrule_variables_and_what_is_not_given_stays() -> None:
    given = {"BI_MCP_SHOW_SETTINGS": "login", "BI_MCP_SECRETS_DIR": "/a"}
    settings = read_settings(given)
    assert read_settings(given, BI_MCP_SHOW_SETTINGS=None, BI_MCP_SECRETS_DIR=None) == settings
    changed = read_settings(
        given,
        BI_MCP_SHOW_SETTINGS="host,port",
        BI_MCP_SECRETS_DIR="/b",
        BI_MCP_ALLOW_LITERAL_SECRETS="on",
    )
    assert changed.shown_settings == frozenset({"host", "port"})
    assert (changed.secrets_folder, changed.allow_literal_secrets) == (Path("/b"), True)
    assert read_settings(given, BI_MCP_SHOW_SETTINGS="").shown_settings == frozenset()
    assert read_settings(given, BI_MCP_CONFIRM="token").confirm == "token"
    scripted = {"BI_MCP_CONFIRM": "off"}
    assert read_settings(scripted, BI_MCP_CONFIRM=None).confirm == "off"
    assert read_settings(scripted, BI_MCP_CONFIRM="elicit").confirm == "elicit"


def test_profiles_of_a_command_overrule_the_variable_and_exclude_another_portal() -> None:
    assert read_settings({"BI_MCP_PROFILE": "prod"}, profiles=("test",)).profiles == ("test",)
    assert read_settings({"BI_MCP_PROFILE": "prod"}).profiles == ("prod",)
    with pytest.raises(ConfigError, match="--profile"):
        read_settings({"BI_MCP_WEBHOOK": WEBHOOK}, profiles=("test",))


def test_options_choose_tools_and_none_lifts_the_lock_of_a_variable() -> None:
    locked = {"BI_MCP_READ_ONLY": "on", "BI_MCP_TOOLSETS": "sources"}
    unchanged = read_settings(locked, BI_MCP_READ_ONLY=None, BI_MCP_TOOLSETS=None)
    assert (unchanged.read_only, unchanged.toolsets) == (True, ("sources",))
    chosen = read_settings(locked, BI_MCP_TOOLSETS="tables,datasets")
    assert (chosen.read_only, chosen.toolsets) == (True, ("tables", "datasets"))
    assert read_settings({}, BI_MCP_READ_ONLY="on").read_only


def test_the_samples_password_is_a_secret() -> None:
    assert sample_password({}) is None
    assert sample_password({"BI_MCP_SAMPLE_PASSWORD": TOKEN}) == Secret(TOKEN)
    assert sample_culture({}) is None
    assert sample_culture({"BI_MCP_SAMPLE_CULTURE": "en-gb"}) == "en-gb"


def test_a_variable_of_a_reference_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret_variable("BI_MCP_SECRET_OF_THIS_TEST") is None
    monkeypatch.setenv("BI_MCP_SECRET_OF_THIS_TEST", TOKEN)
    assert secret_variable("BI_MCP_SECRET_OF_THIS_TEST") == Secret(TOKEN)
    monkeypatch.setenv("BI_MCP_SECRET_OF_THIS_TEST", "")
    assert secret_variable("BI_MCP_SECRET_OF_THIS_TEST") is None


def test_settings_can_be_printed_without_their_secrets() -> None:
    settings = read_settings({"BI_MCP_PORTAL_URL": PORTAL, "BI_MCP_ACCESS_TOKEN": TOKEN})
    portal = local_portal_settings({"BI_MCP_PORTAL_ACCESS_TOKEN": TOKEN, "BI_MCP_PORTAL_WEBHOOK": WEBHOOK})
    assert (
        "canary" not in f"{settings} {portal!r} {vars(settings)} {read_settings({'BI_MCP_WEBHOOK': WEBHOOK})}"
    )


PADDED = " \t{}\r\n"


def test_secrets_and_addresses_are_read_without_what_copying_adds() -> None:
    settings = read_settings(
        {"BI_MCP_PORTAL_URL": PADDED.format(PORTAL), "BI_MCP_ACCESS_TOKEN": PADDED.format(TOKEN)}
    )
    assert (settings.portal_url, settings.access_token) == (PORTAL, Secret(TOKEN))
    assert read_settings({"BI_MCP_WEBHOOK": PADDED.format(WEBHOOK)}).webhook_url == Secret(WEBHOOK)
    http = http_settings(
        {
            "BI_MCP_HTTP_TOKEN": PADDED.format(TOKEN),
            "BI_MCP_HTTP_ISSUER": PADDED.format(PORTAL),
            "BI_MCP_HTTP_AUDIENCE": PADDED.format("bi"),
            "BI_MCP_HTTP_JWKS": PADDED.format(PORTAL),
            "BI_MCP_SHARED_STORE": PADDED.format("redis://store"),
            "BI_MCP_SHARED_KEY": PADDED.format(TOKEN),
        }
    )
    assert (http.token, http.shared_store, http.shared_key) == (
        Secret(TOKEN),
        Secret("redis://store"),
        Secret(TOKEN),
    )
    assert (http.issuer, http.audience, http.jwks) == (PORTAL, "bi", PORTAL)


def test_what_holds_spaces_only_is_not_set() -> None:
    settings = read_settings(
        {"BI_MCP_PORTAL_URL": " ", "BI_MCP_ACCESS_TOKEN": "\n", "BI_MCP_WEBHOOK_FILE": " "}
    )
    assert (settings.portal_url, settings.access_token, settings.webhook_url) == (None, None, None)


def test_a_setting_of_a_source_loses_its_line_end_and_keeps_its_spaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_AIR", " pass word \r\n")
    assert secret_variable("BI_MCP_SECRET_AIR") == Secret(" pass word ")


SECRETS = [
    "BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK", "BI_MCP_HTTP_TOKEN", "BI_MCP_SHARED_STORE", "BI_MCP_SHARED_KEY",
    "BI_MCP_METRICS_TOKEN",
    "BI_MCP_PORTAL_ACCESS_TOKEN", "BI_MCP_PORTAL_WEBHOOK", "BI_MCP_SAMPLE_PASSWORD",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n")
    readers: list[Callable[[Mapping[str, str]], object]] = [
        lambda given: read_settings({"BI_MCP_PORTAL_URL": PORTAL, **given}).access_token,
        lambda given: read_settings(given).webhook_url,
        lambda given: http_settings(given).token,
        lambda given: http_settings(given).shared_store,
        lambda given: http_settings(given).shared_key,
        lambda given: http_settings(given).metrics_token,
        lambda given: local_portal_settings(given).access_token,
        lambda given: local_portal_settings(given).webhook,
        sample_password,
    ]
    reader = readers[SECRETS.index(name)]
    assert reader({f"{name}_FILE": str(file)}) == Secret(TOKEN)
    with pytest.raises(ConfigError, match=f"{name} and {name}_FILE are both set"):
        reader({name: TOKEN, f"{name}_FILE": str(file)})


def test_a_file_that_holds_no_secret_is_refused_without_its_content(tmp_path: Path) -> None:
    files = {
        "missing": None,
        "empty": b" \n",
        "no text": b"\xffcanary",
        "large": b"canary" * 20_000,
    }
    for name, content in files.items():
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ConfigError, match=r"^BI_MCP_HTTP_TOKEN_FILE names a file that") as refused:
            http_settings({"BI_MCP_HTTP_TOKEN_FILE": str(file)})
        assert "canary" not in str(refused.value)


def test_a_pipe_or_a_folder_in_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, "a\0b"):
        with pytest.raises(ConfigError, match=r"^BI_MCP_HTTP_TOKEN_FILE names a file that cannot be read"):
            http_settings({"BI_MCP_HTTP_TOKEN_FILE": str(path)})

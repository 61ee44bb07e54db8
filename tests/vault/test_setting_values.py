"""A source's values: references become secrets, literal secrets are refused, and no text holds a value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from bi_mcp.base.secret import Secret
from bi_mcp.errors import InvalidRequestError, SecretReferenceError
from bi_mcp.rest.models import ReceivedParameter
from bi_mcp.vault.known_values import known_values
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.secret_files import MAX_FILE_BYTES
from bi_mcp.vault.secret_parameters import is_shown, looks_secret
from bi_mcp.vault.setting_values import (
    EnvReference,
    FileReference,
    SecretReference,
    SettingValue,
    SettingValues,
)
from tests.door import at_server

VALUE = "value-canary"
PARAMETERS = [
    ReceivedParameter(code="login", name="Login", type="STRING"),
    ReceivedParameter(code="account", name="Account", type="STRING"),
    ReceivedParameter(code="password", name="Password", type="STRING"),
    ReceivedParameter(code="port", name=None, type="INT"),
]


def variable(name: str) -> Secret | None:
    return {"BI_MCP_SECRET_SHOP": Secret(VALUE)}.get(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for secrets with a neighbour that must not be read."""
    (tmp_path / "outside").write_text(VALUE)
    inside = tmp_path / "secrets"
    inside.mkdir()
    (inside / "shop").write_text(f"{VALUE}\n")
    return inside


def resolve(
    settings: Mapping[str, SettingValue], *, folder: Path | None = None, allow_literal_secrets: bool = False
) -> dict[str, str]:
    values = SettingValues(variable, folder, allow_literal_secrets)
    return {code: secret.reveal() for code, secret in values.resolve(settings, PARAMETERS).items()}


def refusal(settings: Mapping[str, SettingValue], folder: Path | None = None) -> str:
    with pytest.raises(SecretReferenceError) as refused:
        resolve(settings, folder=folder)
    assert VALUE not in f"{refused.value} {refused.value!r}"
    return at_server(refused.value)


def test_a_variable_a_file_and_plain_values_become_secrets(folder: Path) -> None:
    settings: dict[str, SettingValue] = {
        "account": FileReference(file="shop"),
        "password": EnvReference(env="BI_MCP_SECRET_SHOP"),
        "port": 8080,
    }
    assert resolve(settings, folder=folder) == {"account": VALUE, "password": VALUE, "port": "8080"}
    assert resolve({}) == {}


def test_a_model_writes_references_as_objects() -> None:
    value: TypeAdapter[SettingValue] = TypeAdapter(SettingValue)
    assert value.validate_python({"env": "BI_MCP_SECRET_SHOP"}) == EnvReference(env="BI_MCP_SECRET_SHOP")
    assert value.validate_python({"file": "shop"}) == FileReference(file="shop")
    assert value.validate_python({"secret": "shop"}) == SecretReference(secret="shop")
    assert value.validate_python("ann") == "ann"
    for wrong in (
        {"env": "BI_MCP_SECRET_A", "file": VALUE},
        {"secret": "shop", "for": VALUE},
        True,
        {"value": VALUE},
        [VALUE],
    ):
        with pytest.raises(ValidationError) as refused:
            value.validate_python(wrong)
        assert VALUE not in "".join(problem["msg"] for problem in refused.value.errors())


@pytest.mark.parametrize("name", ["HOME", VALUE, "bi_mcp_secret_shop", "BI_MCP_ACCESS_TOKEN", ""])
def test_only_variables_with_the_prefix_are_read(name: str) -> None:
    text = refusal({"password": EnvReference.model_construct(env=name)})
    assert "settings.password: only variables whose name begins with BI_MCP_SECRET_" in text


def test_an_unset_variable_is_named() -> None:
    text = refusal({"password": EnvReference(env="BI_MCP_SECRET_OTHER")})
    assert "settings.password: the variable BI_MCP_SECRET_OTHER is not set where bi-mcp runs" in text


def test_an_empty_variable_counts_as_unset() -> None:
    values = SettingValues(lambda _: Secret(""), None, allow_literal_secrets=False)
    with pytest.raises(SecretReferenceError, match="is not set"):
        values.resolve({"password": EnvReference(env="BI_MCP_SECRET_SHOP")}, PARAMETERS)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_line_end_is_no_part_of_a_secret(folder: Path, ending: str) -> None:
    (folder / "shop").write_bytes(f" пароль \n{ending}".encode())
    inner = " пароль " if not ending else " пароль \n"
    assert resolve({"password": FileReference(file="shop")}, folder=folder) == {"password": inner}


def test_a_file_in_a_folder_below_is_inside(folder: Path) -> None:
    (folder / "shops").mkdir()
    (folder / "shops" / "one").write_text(VALUE)
    assert resolve({"password": FileReference(file="shops/one")}, folder=folder) == {"password": VALUE}
    assert resolve({"password": FileReference(file="shops/../shop")}, folder=folder) == {"password": VALUE}


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    # Mounted secrets are often links to a version beside them.
    (folder / "current").symlink_to("shop")
    assert resolve({"password": FileReference(file="current")}, folder=folder) == {"password": VALUE}


def _nowhere(_: Path) -> None:
    return None


def _link_to_file(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "outside")


def _link_to_folder(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)


def _links_in_a_circle(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("../outside", _nowhere),
        ("shop/../../outside", _nowhere),
        ("/etc/hostname", _nowhere),
        ("link", _link_to_file),
        ("up/outside", _link_to_folder),
        ("a", _links_in_a_circle),
        ("pipe", _pipe),
        ("missing", _nowhere),
        ("", _nowhere),
        (".", _nowhere),
        ("..", _nowhere),
        ("shop\0", _nowhere),
        ("x" * 5000, _nowhere),
        ("~/shop", _nowhere),
    ],
)
def test_only_a_file_inside_the_folder_is_read(
    folder: Path, name: str, prepare: Callable[[Path], None]
) -> None:
    prepare(folder)
    text = refusal({"password": FileReference(file=name)}, folder)
    assert text.startswith("settings.password: the folder for secrets contains no file")
    assert str(folder) not in text


def test_a_neighbour_whose_name_begins_alike_is_outside(folder: Path) -> None:
    neighbour = folder.with_name("secrets-of-others")
    neighbour.mkdir()
    (neighbour / "shop").write_text(VALUE)
    assert "contains no file" in refusal(
        {"password": FileReference(file="../secrets-of-others/shop")}, folder
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x" * (MAX_FILE_BYTES + 1), f"larger than {MAX_FILE_BYTES} bytes"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (VALUE.encode() + b"\xff", "cannot be read as UTF-8 text"),
    ],
)
def test_a_file_that_is_no_secret_is_refused(folder: Path, content: bytes, why: str) -> None:
    (folder / "shop").write_bytes(content)
    assert why in refusal({"password": FileReference(file="shop")}, folder)


def test_the_largest_file_is_read(folder: Path) -> None:
    (folder / "shop").write_bytes(b"x" * MAX_FILE_BYTES)
    assert len(resolve({"password": FileReference(file="shop")}, folder=folder)["password"]) == MAX_FILE_BYTES


def test_without_a_folder_no_file_is_read() -> None:
    text = refusal({"password": FileReference(file="shop")})
    assert "no folder for secrets is configured. Set BI_MCP_SECRETS_DIR" in text


def test_a_literal_secret_is_refused_with_the_way_to_pass_it(folder: Path) -> None:
    text = refusal({"password": VALUE})
    assert '{"env": "BI_MCP_SECRET_PASSWORD"}' in text
    assert '{"file"' not in text
    assert '{"file": "name"}' in refusal({"password": VALUE}, folder)


def test_a_literal_secret_is_accepted_where_the_user_allows_it() -> None:
    assert resolve({"password": VALUE}, allow_literal_secrets=True) == {"password": VALUE}


def test_what_does_not_look_secret_is_written_as_it_is() -> None:
    assert resolve({"login": "ann"}) == {"login": "ann"}


def test_a_parameters_name_gives_it_away_when_its_code_does_not() -> None:
    values = SettingValues(variable, None, allow_literal_secrets=False)
    parameters = [ReceivedParameter(code="p1", name="Пароль")]
    with pytest.raises(SecretReferenceError, match="BI_MCP_SECRET_P1"):
        values.resolve({"p1": VALUE}, parameters)


def test_a_variable_is_proposed_for_every_code() -> None:
    values = SettingValues(variable, None, allow_literal_secrets=False)
    for code, proposed in (("apiKey", "APIKEY"), ("api key-2", "API_KEY_2"), ("пароль", "VALUE")):
        with pytest.raises(SecretReferenceError, match=f"BI_MCP_SECRET_{proposed}\\."):
            values.resolve({code: VALUE}, [ReceivedParameter(code=code)])


@pytest.mark.parametrize(
    "name",
    [
        "password", "PASSWORD", "userPassword", "db_passwd", "pwd", "passphrase", "passcode", "pass", "pass2", "user.pass",
        "token", "accessToken", "refresh_token", "API key", "API Key:", "api_key", "api-key", "apikey", "APIKey", "AWSKey",
        "x-api-key", "key", "key1", "accessKey", "privatekey", "private", "secret", "client_secret", "credentials", "auth",
        "bearer", "PIN", "PIN-код", "jwt", "cookie", "Пароль", "пароль пользователя", "Токен", "секрет", "Ключ API",
        "API-ключ", "ключи",
    ],
)  # fmt: skip
def test_these_names_suggest_a_secret(name: str) -> None:
    assert looks_secret(name)
    assert looks_secret("p1", name)


@pytest.mark.parametrize(
    "name",
    [
        "login", "Login", "host", "port", "user", "username", "database", "url", "monkey", "author", "keyboard", "compass",
        "passenger", "bypass", "spinner", "authority", "логин", "Хост", "Тип подключения", "Включить SSL", "Исключения", "",
    ],
)  # fmt: skip
def test_these_names_do_not(name: str) -> None:
    assert not looks_secret(name)


def test_a_code_that_the_connector_does_not_declare_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        resolve({"login": "ann", "pasword": VALUE, "tokn": VALUE})
    text = str(refused.value)
    assert "declares no pasword, tokn" in text
    assert "Declared: login, account, password, port" in text
    assert VALUE not in text


def test_a_connector_without_parameters_takes_no_values() -> None:
    values = SettingValues(variable, None, allow_literal_secrets=False)
    with pytest.raises(InvalidRequestError, match="Declared: none"):
        values.resolve({"login": "ann"}, [])


@pytest.fixture
def named(tmp_path: Path) -> SettingValues:
    """With the secret `shop`, bound to shop.example and its port 8443."""
    stored = NamedSecrets(tmp_path / "config")
    stored.store("shop", Secret(VALUE), ["shop.example", "shop.example:8443"], "file")
    return SettingValues(variable, None, allow_literal_secrets=False, named=stored)


def named_refusal(values: SettingValues, *addresses: str, name: str = "shop") -> str:
    with pytest.raises(SecretReferenceError) as refused:
        values.resolve({"password": SecretReference(secret=name)}, PARAMETERS, addresses)
    assert VALUE not in f"{refused.value!r}"
    return at_server(refused.value)


@pytest.mark.parametrize(
    "addresses",
    [
        ["https://shop.example/check"],
        ["https://SHOP.example:443/check", "https://shop.example/data", "https://shop.example:8443/tables"],
    ],
)
def test_a_stored_secret_goes_to_hosts_that_it_is_bound_to(
    named: SettingValues, addresses: list[str]
) -> None:
    resolved = named.resolve({"password": SecretReference(secret="shop")}, PARAMETERS, addresses)
    assert resolved == {"password": Secret(VALUE)}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://evil.example/check", "evil.example"),
        ("https://shop.example.evil.example/", "shop.example.evil.example"),
        ("https://sub.shop.example/", "sub.shop.example"),
        ("https://shop.example:9443/", "shop.example:9443"),
        ("http://shop.example/check", "http://shop.example"),
        ("http://shop.example:443/check", "http://shop.example:443"),
    ],
)
def test_one_address_elsewhere_is_enough_for_a_refusal(named: SettingValues, address: str, host: str) -> None:
    text = named_refusal(named, "https://shop.example/check", address)
    assert text == (
        "settings.password: the secret shop is bound to shop.example, shop.example:8443 and would be sent to "
        f"{host}. Nothing was sent. Only the user can allow that, if they trust this address, in a terminal: "
        f"`bi-mcp secret set shop --for shop.example --for shop.example:8443 --for {host}`."
    )


def test_a_name_that_is_not_stored_is_told_with_the_command_for_the_user(named: SettingValues) -> None:
    text = named_refusal(named, "https://a.example/1", "https://b.example/2", name="other")
    assert "no secret is stored under the name other. Nothing was sent." in text
    assert "`bi-mcp secret set other --for a.example --for b.example`. Then call again." in text


@pytest.mark.parametrize("name", [VALUE.upper(), "a b", "", "../shop", "BI_MCP_SECRET_SHOP"])
def test_what_is_no_name_is_not_repeated(named: SettingValues, name: str) -> None:
    text = named_refusal(named, "https://shop.example", name=name)
    assert "that is not the name of a stored secret" in text
    assert not name or name not in text


def test_without_an_address_or_with_a_doubtful_one_nothing_is_given_out(named: SettingValues) -> None:
    assert "no address is known here" in named_refusal(named)
    text = named_refusal(named, "https://shop.example/check", "https://shop.example@evil.example/")
    assert "it contains a user or a password before the host" in text


def test_without_a_configuration_folder_there_are_no_stored_secrets() -> None:
    values = SettingValues(variable, None, allow_literal_secrets=False)
    assert "no configuration folder" in named_refusal(values, "https://shop.example")


def test_a_literal_secret_is_refused_with_the_command_for_the_user(named: SettingValues) -> None:
    with pytest.raises(SecretReferenceError) as refused:
        named.resolve({"password": VALUE}, PARAMETERS)
    assert "`bi-mcp secret set NAME --for HOST`" in at_server(refused.value)
    assert VALUE not in str(refused.value)


@pytest.mark.parametrize(
    "reference",
    [EnvReference(env="BI_MCP_SECRET_SHOP"), FileReference(file="shop"), SecretReference(secret="shop")],
    ids=["variable", "file", "stored"],
)
@pytest.mark.parametrize(
    ("code", "name"),
    [("login", ""), ("server", "Host"), ("region", "Region"), ("chosen", "Chosen by the user")],
)
def test_a_reference_for_a_code_that_would_be_shown_is_refused(
    folder: Path, reference: SettingValue, code: str, name: str
) -> None:
    values = SettingValues(variable, folder, allow_literal_secrets=False, shown=frozenset({"chosen"}))
    with pytest.raises(SecretReferenceError, match="Write the value as text") as refused:
        values.resolve({code: reference}, [ReceivedParameter(code=code, name=name)])
    assert VALUE not in f"{refused.value!r}"


def test_known_values_are_those_of_variables_files_and_stored_secrets(folder: Path, tmp_path: Path) -> None:
    named = NamedSecrets(tmp_path / "configuration")
    named.store("shop", Secret("stored"), ["shop.example"], "file")
    values = SettingValues(
        variable,
        folder,
        allow_literal_secrets=False,
        named=named,
        variables=lambda _: [Secret("in a variable")],
    )
    known = known_values(values)
    assert all(known.may_hold(Secret(value)) for value in ("stored", "in a variable", VALUE, f" {VALUE}\n"))
    assert not known.may_hold(Secret("something else"))
    assert not known.may_hold(Secret("store"))


def test_what_cannot_be_read_may_be_any_value(folder: Path, tmp_path: Path) -> None:
    named = NamedSecrets(tmp_path / "configuration")
    named.store("shop", Secret("stored"), ["shop.example"], "file")
    (tmp_path / "configuration" / "secret-values.json").unlink()
    values = SettingValues(variable, folder, allow_literal_secrets=False, named=named)
    assert known_values(values).may_hold(Secret("anything"))


def test_none_shows_not_even_what_is_harmless() -> None:
    assert is_shown("host", "Host", frozenset())
    assert not is_shown("host", "Access key", frozenset())
    assert not is_shown("host", "Host", frozenset({"none"}))
    assert is_shown("region", "Where", frozenset({"none", "region"}))

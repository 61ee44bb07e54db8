"""The rule for values of settings that may be seen: code and name known to be harmless, and a value of the form that they announce."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.base.secret import Secret
from bi_mcp.vault.plain_values import Kind, is_plain
from bi_mcp.vault.secret_parameters import is_harmless, may_show

NONE = frozenset[str]()
PLAIN = [
    ("host", "db.example"),
    ("host", "db-prod-2.eu-west-1.rds.example.com"),
    ("host", "mydb.c9akciq32rgw.us-east-1.rds.example.com"),
    ("host", "localhost"),
    ("host", "127.0.0.1:5432"),
    ("host", "[2001:db8::1]:5432"),
    ("host", "https://erp.example:8443/v2/Trade/hs/bi"),
    ("server", "SRV1"),
    ("хост", "сервер.рф"),
    ("dbHost", "warehouse"),
    ("port", "5432"),
    ("login", "ann"),
    ("user_name", "report_user_2"),
    ("login", "ann@shop.example"),
    ("login", "SHOP\\ann"),
    ("логин", "читатель"),
    ("database", "sales_dwh_prod_v2"),
    ("база", "отчёты"),
    ("schema", "public"),
    ("region", "eu-west-1"),
    ("charset", "utf8mb4"),
    ("timezone", "Europe/Moscow"),
]
SECRET = [
    # Addresses with a login, a query or a key in their path.
    ("host", "https://ann:hunter2@db.example/"),
    ("host", "https://ann@db.example"),
    ("host", "ann:pw@db.example"),
    ("host", "https://api.example/?sig=abcd"),
    ("host", "https://api.example/?access=abc&auth=zz"),
    ("host", "https://api.example/#abc"),
    ("host", "db.example?auth=abc123"),
    ("host", "https://portal.example/rest/1/abcdefg12345/"),
    ("host", "https://portal.example/rest/1/abcdefghij/"),
    ("host", "https://api.example/bot12345:AAHdq_xx/getMe"),
    ("host", "https://hooks.example/services/T00/B00/XXXX"),
    ("source", "https://db.example/"),
    # Connection strings.
    ("host", "Server=db;Uid=sa;Pass=hunter2"),
    ("database", "host=db user=u pass=abc"),
    ("сервер", "Сервер=x;Пароль=abc"),
    ("host", "scott/tiger@host"),
    ("host", "scott/tiger"),
    ("host", "jdbc:oracle:thin:scott/tiger@//host:1521/x"),
    ("database", "postgres://db.example/sales"),
    # Pairs.
    *(("login", f"ann{sign}hunter2") for sign in ":;,|/\\ =\t\n!#"),
    ("login", "ann@example.com:hunter2"),
    ("login", "ann@hunter2"),
    ("host", "ann:hunter2"),
    ("login", "Basic YW5uOnB3"),
    # Tokens.
    ("login", "xoxb-1234-abcd"),
    ("login", "sk-abcdefghijklmnop"),
    ("host", "sk-ant-abc"),
    ("login", "ghp_16C7e42F292c"),
    ("schema", "glpat-abcdef"),
    ("user", "AKIAIOSFODNN7EXAMPLE"),
    ("login", "eyJhbGciOi.eyJzdWIi.abc"),
    ("schema", "abcd-efgh-ijkl-mnop"),
    ("login", "abcdefghijklmnop"),
    ("database", "0b0e1c9e-7a55-4f0e-8f3e-2a2f0c5d9f11"),
    ("login", "correct-horse-battery-staple"),
    ("login", "Qw8-xZ2_pL9.vB4"),
    ("login", "p4ssw0rd"),
    ("host", "x" * 300),
    # Values of another kind.
    ("port", "hunter2"),
    ("port", "99999"),
    ("region", "correct horse battery staple"),
    ("timezone", "scott/tiger"),
    ("database", "mypassword"),
    ("host", "host\u200b:x"),
    ("host", ""),
    ("host", "db.example\n"),
]


@pytest.mark.parametrize(("code", "value"), PLAIN)
def test_a_value_of_the_announced_form_is_shown(code: str, value: str) -> None:
    assert may_show(code, code, Secret(value), NONE)


@pytest.mark.parametrize(("code", "value"), SECRET)
def test_a_value_of_any_other_form_is_hidden(code: str, value: str) -> None:
    assert not may_show(code, code, Secret(value), NONE)


@pytest.mark.parametrize(
    "strange",
    [
        "psw",
        "parol",
        "klyuch",
        "kod_dostupa",
        "code",
        "sign",
        "webhook",
        "p",
        "Код доступа",
        "Hasło",
        "Senha",
        "Passwort",
        "Contraseña",
        "Mot de passe",
        "Шифр",
        "ключом",
        "Login and password",
        "P@ssword",
        "Pаssword",
    ],
)
def test_one_strange_word_in_code_or_name_hides(strange: str) -> None:
    for code, name in ((strange, "Логин"), ("login", strange), (strange, "Host"), ("host", strange)):
        assert not is_harmless(code, name)
        assert not may_show(code, name, Secret("ann"), NONE)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("login", "Логин"),
        ("db_user", "Имя пользователя базы данных"),
        ("SERVER", "Адрес сервера"),
        ("name", "Login"),
    ],
)
def test_known_words_in_code_and_name_show(code: str, name: str) -> None:
    assert may_show(code, name, Secret("ann"), NONE)


def test_a_value_has_the_forms_of_both_its_code_and_its_name() -> None:
    assert may_show("port", "Server port", Secret("5432"), NONE)
    assert not may_show("port", "Login", Secret("ann"), NONE)
    assert not may_show("login", "", Secret("ann"), NONE)


def test_what_the_user_named_is_shown_whatever_it_looks_like_and_none_hides_the_rest() -> None:
    assert may_show("dsn", "DSN", Secret("a=b"), frozenset({"dsn", "none"}))
    assert not may_show("host", "Host", Secret("db.example"), frozenset({"none"}))


@settings(deadline=None)
@given(value=st.text(), kind=st.sampled_from(Kind))
def test_nothing_that_separates_a_pair_passes(value: str, kind: Kind) -> None:
    if is_plain(Secret(value), kind):
        assert not set(value) & set("=?#;,|&%!*$'\"<>(){} \t\r\n")


@settings(deadline=None)
@given(
    before=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    sign=st.sampled_from(":;,|/= "),
    password=st.from_regex(r"[a-z]{1,6}[0-9]{1,4}[a-z!]", fullmatch=True),
    kind=st.sampled_from(Kind),
)
def test_a_pair_is_never_plain(before: str, sign: str, password: str, kind: Kind) -> None:
    assert not is_plain(Secret(f"{before}{sign}{password}"), kind)


@settings(deadline=None)
@given(
    start=st.sampled_from(["https://", "http://", "https://db.example/", "postgres://"]),
    user=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    password=st.from_regex(r"[A-Za-z0-9%._~-]{0,12}", fullmatch=True),
    kind=st.sampled_from(Kind),
)
def test_an_address_with_a_login_is_never_plain(start: str, user: str, password: str, kind: Kind) -> None:
    assert not is_plain(Secret(f"{start}{user}:{password}@db.example/"), kind)


@settings(deadline=None)
@given(
    token=st.from_regex(r"[A-Za-z0-9_-]{24,60}", fullmatch=True),
    kind=st.sampled_from([Kind.LOGIN, Kind.PORT]),
)
def test_a_long_random_text_is_no_login(token: str, kind: Kind) -> None:
    words = token.replace("-", "_").split("_")
    if len(words) > 3 or max(map(len, words)) >= 16 or len(token) > 32:
        assert not is_plain(Secret(token), kind)

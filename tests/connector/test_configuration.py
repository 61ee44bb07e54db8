"""The configuration of a connector, from a file and from options."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.cli.actions.connector_options import read_configuration
from bi_mcp.connector.access.keys import hash_key, key_from, write_hash
from bi_mcp.connector.configuration import Configuration, Reference, parse_configuration, read_toml
from bi_mcp.errors import ConfigError

KEY = Secret("canary-key-of-portals")
FILE = f"""
host = "0.0.0.0"
port = 9000
public_url = "https://bi.example"
behind_proxy = true
stop_seconds = 5
metrics = "off"
culture = "ru"
time_zone = "Europe/Moscow"

[limits]
answers = 4
answer_seconds = 60
body_bytes = 1000

[[keys]]
hash = "{write_hash(KEY)}"

[[keys]]
key = {{env = "BI_MCP_SECRET_SHOP_KEY"}}
sources = ["shop"]

[sources.shop]
address = "postgresql://bi@db.internal/shop"
password = {{env = "BI_MCP_SECRET_SHOP"}}
schemas = ["public"]
tables = ["orders", "report_*"]
titles = {{orders = "Orders"}}
types = {{orders = {{PHONE = "string"}}}}
long_numbers = "text"
time_zone = "UTC"
timeout = 30
connections = 2
rows = 1000

[sources.sales]
address = "./exports"
encoding = "cp1251"
"""


def resolve(reference: Reference, where: str, address: str | None) -> Secret:
    return Secret(f"value of {reference.env} at {where} for {address}")


def parsed(text: str) -> Configuration:
    return parse_configuration(tomllib.loads(text), resolve)


def test_a_file_says_everything_that_can_be_said() -> None:
    found = parsed(FILE)
    shop, sales = found.sources["shop"], found.sources["sales"]
    password = "value%20of%20BI_MCP_SECRET_SHOP%20at%20sources.shop.password%20for%20postgresql%3A%2F%2Fbi%40db.internal%2Fshop"
    assert shop.address == Secret(f"postgresql://bi:{password}@db.internal/shop")
    assert shop.plain == "postgresql://bi@db.internal/shop"
    assert (shop.rows, sales.rows) == (1000, None)
    assert (shop.options.schemas, shop.options.tables) == (("public",), ("orders", "report_*"))
    assert shop.options.types == {"orders": {"PHONE": "string"}}
    assert (shop.options.time_zone, sales.options.time_zone) == (ZoneInfo("UTC"), ZoneInfo("Europe/Moscow"))
    assert (shop.options.culture, sales.options.culture, sales.options.encoding) == ("ru", "ru", "cp1251")
    assert found.keys[0].digest == hash_key(KEY)
    assert found.keys[1].sources == frozenset({"shop"})
    assert (found.service.answers, found.service.body_bytes, found.service.metrics) == (4, 1000, "off")
    assert (found.listening.port, found.listening.behind_proxy) == (9000, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[sources.shop]\nadress = 'x'",
            ["sources.shop.address: is missing", "sources.shop.adress: is not a known key"],
        ),
        ("[sources.'a b']\naddress = 'x'", ["sources.a b: is no name for a source: take Latin letters"]),
        ("port = 70000\n[sources.a]\naddress = 'x'", ["port: Input should be less than or equal to 65535"]),
        ("time_zone = 'Mars'\n[sources.a]\naddress = 'x'", ["time_zone: is not a time zone"]),
        ("culture = 'fr'\n[sources.a]\naddress = 'x'", ["culture: Input should be 'ru', 'en'"]),
        (
            "[sources.a]\naddress = 'x'\npassword = 'canary'",
            ['sources.a.password: is never the secret itself: write {env = "…"}'],
        ),
        ("encoding = 'nonsense'\n[sources.a]\naddress = 'x'", ["encoding: is not an encoding"]),
        ("encoding = 'hex'\n[sources.a]\naddress = 'x'", ["encoding: is not an encoding"]),
        (
            "[sources.a]\naddress = 'x'\npassword = {env = 'A', file = 'b'}",
            ["sources.a.password: takes one of"],
        ),
        ("[sources.a]\naddress = 'x'\n[[keys]]\nhash = 'canary'", ["keys[1]: it must be sha256:"]),
        ("[sources.a]\naddress = 'x'\n[[keys]]\nsources = ['a']", ["keys[1]: takes one of"]),
        (
            f"[sources.a]\naddress = 'x'\n[[keys]]\nhash = '{write_hash(KEY)}'\nsources = ['b']",
            ["keys[1].sources: there is no source 'b'."],
        ),
        ("[sources.a]\naddress = 'x'\npassword = {env = 'A'}", ["sources.a: A password is given for files"]),
        (
            "[sources.a]\naddress = 'mysql://a:canary@h/x'\npassword = {env = 'A'}",
            ["sources.a: A password is given, and the address holds another"],
        ),
        (
            "[limits]\nanswers = 0\n[sources.a]\naddress = 'x'",
            ["limits.answers: Input should be greater than"],
        ),
        ("", ["needs sources"]),
        ("[sources.a]\naddress = 'x'\n[parametrised]\nkind = 'mysql'\nhosts = ['h']", ["not both"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_never_repeated(text: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(text)
    assert [part for part in said if part not in str(refused.value)] == []
    assert "canary" not in str(refused.value)


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parsed("prot = 1\nhots = 'x'\n[sources.a]\naddress = 'x'")
    assert "- prot: is not a known key" in str(refused.value)
    assert "- hots: is not a known key" in str(refused.value)


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "connector.toml"
    file.write_text("port = 1\nhost = \n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"connector\.toml is not TOML in UTF-8.*line 2"):
        read_toml(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"connector\.toml cannot be read: there is no such file"):
        read_toml(tmp_path / "connector.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_toml(tmp_path)


class TestOptions:
    """Options of the command, with and without a file."""

    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path))
        for name in ("KEY", "CULTURE", "PASSWORD_SHOP"):
            monkeypatch.delenv(f"BI_MCP_CONNECTOR_{name}", raising=False)

    def read(self, *sources: str, file: Path | None = None, **options: Any) -> Configuration:
        return read_configuration(file, {"sources": sources, **options}).configuration

    def test_options_alone_say_what_is_served(self) -> None:
        found = self.read(
            "shop=postgresql://bi@db.internal/shop?sslmode=require",
            "sales=./exports",
            culture="en-gb",
            time_zone="Asia/Omsk",
            schemas=("public",),
            tables=("a*",),
            encoding="cp1251",
            port=0,
            max_answers=2,
        )
        assert found.sources["shop"].address == Secret("postgresql://bi@db.internal/shop?sslmode=require")
        assert found.sources["sales"].options.schemas == ("public",)
        assert found.sources["sales"].options.time_zone == ZoneInfo("Asia/Omsk")
        assert (found.sources["sales"].options.culture, found.listening.port) == ("en-gb", 0)
        assert (found.service.answers, found.keys) == (2, ())

    def test_the_password_and_the_key_come_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BI_MCP_CONNECTOR_PASSWORD_MY_SHOP", "p@ss")
        monkeypatch.setenv("BI_MCP_CONNECTOR_KEY", KEY.reveal())
        monkeypatch.setenv("BI_MCP_CONNECTOR_CULTURE", "de")
        found = self.read("my-shop=mysql://bi@db.internal/shop", "sales=./exports")
        assert found.sources["my-shop"].address == Secret("mysql://bi:p%40ss@db.internal/shop")
        assert found.keys == (key_from(KEY, ""),)
        assert found.sources["sales"].options.culture == "de"

    def test_a_password_may_be_in_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("p\n", encoding="utf-8")
        monkeypatch.setenv("BI_MCP_CONNECTOR_PASSWORD_SHOP_FILE", str(tmp_path / "password"))
        assert self.read("shop=mysql://bi@h/x").sources["shop"].address == Secret("mysql://bi:p@h/x")

    def test_options_overrule_the_file_and_add_to_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BI_MCP_SECRET_SHOP", "s")
        monkeypatch.setenv("BI_MCP_SECRET_SHOP_KEY", "another-key-of-portals")
        file = tmp_path / "connector.toml"
        file.write_text(FILE, encoding="utf-8")
        found = self.read("crm=sqlite:///crm.db", file=file, port=1, max_answers=9)
        assert list(found.sources) == ["shop", "sales", "crm"]
        assert found.sources["shop"].address == Secret("postgresql://bi:s@db.internal/shop")
        assert found.keys[1] == key_from(Secret("another-key-of-portals"), "", frozenset({"shop"}))
        assert (found.listening.port, found.listening.host) == (1, "0.0.0.0")
        assert (found.service.answers, found.service.body_bytes) == (9, 1000)

    @pytest.mark.parametrize(
        ("reference", "said"),
        [
            ('{env = "HOME"}', "sources.shop.password: only variables whose name begins with BI_MCP_SECRET_"),
            (
                '{env = "BI_MCP_SECRET_NONE"}',
                "sources.shop.password: the variable BI_MCP_SECRET_NONE is not set",
            ),
            ('{file = "none"}', "sources.shop.password: no folder for secrets is configured"),
            ('{secret = "none"}', "sources.shop.password: no secret is stored under the name none"),
        ],
    )
    def test_a_reference_to_nothing_is_told_with_its_place(
        self, reference: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("BI_MCP_SECRETS_DIR", raising=False)
        file = tmp_path / "connector.toml"
        file.write_text(
            f"[sources.shop]\naddress = 'mysql://bi@db/x'\npassword = {reference}", encoding="utf-8"
        )
        with pytest.raises(ConfigError) as refused:
            self.read(file=file)
        assert str(refused.value).startswith(said)

    def test_a_password_in_an_address_is_taken_with_a_warning(self) -> None:
        started = read_configuration(None, {"sources": ["shop=mysql://bi:canary@db.internal/x"]})
        assert started.configuration.sources["shop"].address == Secret("mysql://bi:canary@db.internal/x")
        assert "BI_MCP_CONNECTOR_PASSWORD_SHOP" in started.warnings[0]
        assert "canary" not in started.warnings[0]

    @pytest.mark.parametrize("source", ["shop", "postgresql://bi@db/x", "=x", "shop=", "mysql://h/?a=b"])
    def test_a_source_without_a_name_is_refused(self, source: str) -> None:
        with pytest.raises(ConfigError, match="--source takes a name and an address"):
            self.read(source)

    def test_a_name_that_is_given_twice_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="--source names shop twice"):
            self.read("shop=a.csv", "shop=b.csv")

    def test_a_short_key_is_told_with_its_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BI_MCP_CONNECTOR_KEY", "canary")
        with pytest.raises(ConfigError, match=r"^BI_MCP_CONNECTOR_KEY is too short") as refused:
            self.read("shop=a.csv")
        assert "canary" not in str(refused.value)

    def test_a_kind_needs_hosts_and_hosts_need_a_kind(self) -> None:
        for options in ({"parametrised": "mysql"}, {"allowed_hosts": ("h",)}):
            with pytest.raises(ConfigError, match="go together"):
                self.read(**options)
        found = self.read(parametrised="mysql", allowed_hosts=("h",), culture="de").parametrised
        assert found is not None
        assert (found.kind, found.hosts, found.options.culture) == ("mysql", ("h",), "de")

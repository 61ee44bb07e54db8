"""The setup of a connector over databases and files: what it proposes is a setup that a portal takes, with remarks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bi_mcp.connector.codes import legal_codes
from bi_mcp.diagnostics.tables.external import ExternalColumn
from bi_mcp.setup.connector_setup import ProposedSetup, ServedSource, ServedTable, propose_setup
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.vault.setting_values import EnvReference

KEY = EnvReference(env="BI_MCP_SECRET_CONNECTOR_KEY")
COLUMNS = [ExternalColumn("ID", "id", "int"), ExternalColumn("PAID_ON", "paid on", "date")]


def table(code: str, title: str = "", columns: list[ExternalColumn] | None = None) -> ServedTable:
    return ServedTable(code, title or code, COLUMNS if columns is None else columns)


def propose(*sources: ServedSource, url: str = "https://bi.example.com") -> ProposedSetup:
    return propose_setup(url, sources, KEY)


def written(proposed: ProposedSetup) -> str:
    return write_setup(proposed.setup, remarks=proposed.remarks)


def test_a_source_with_a_table_becomes_a_connector_a_source_and_a_dataset() -> None:
    text = written(propose(ServedSource("shop", [table("orders", "Orders")])))
    assert text.split("version: 1\n")[1].split("logo:")[0] == (
        "connectors:\n  connector:\n    title: bi-mcp connector\n    "
    )
    assert text.split("urlCheck")[1] == (
        ": https://bi.example.com/check\n"
        "    urlTableList: https://bi.example.com/tables\n"
        "    urlTableDescription: https://bi.example.com/table\n"
        "    urlData: https://bi.example.com/data\n"
        "    settings:\n"
        "      - {code: source, name: Source, type: STRING}\n"
        "      - {code: key, name: Access key, type: STRING}\n"
        "sources:\n"
        "  shop:\n"
        "    connector: connector\n"
        "    title: shop\n"
        "    settings:\n"
        "      source: shop\n"
        "      key: {env: BI_MCP_SECRET_CONNECTOR_KEY}\n"
        "datasets:\n"
        "  orders:\n"
        "    source: shop\n"
        "    externalCode: orders\n"
        "    externalName: Orders\n"
        "    columns:\n"
        "      - {name: ID, externalCode: ID, type: int}\n"
        "      - {name: PAID_ON, externalCode: PAID_ON, type: date}\n"
    )


def test_a_slash_at_the_end_of_the_address_is_not_doubled() -> None:
    entry = propose(url="https://bi.example.com/warehouse/").setup.connectors["connector"]
    assert entry.url_data == "https://bi.example.com/warehouse/data"


def test_another_address_changes_nothing_by_which_a_portal_knows_the_objects() -> None:
    source = ServedSource("shop", [table("orders")])
    here, there = propose(source).setup, propose(source, url="http://127.0.0.1:8773").setup
    assert there.connectors["connector"].title == here.connectors["connector"].title
    assert (there.sources, there.datasets) == (here.sources, here.datasets)


def test_a_connector_with_a_title_of_its_own_has_a_key_of_its_own() -> None:
    setup = propose_setup(
        "https://bi.example.com", [ServedSource("shop", [table("orders")])], KEY, title="Склад"
    ).setup
    assert {key: entry.title for key, entry in setup.connectors.items()} == {"sklad": "Склад"}
    assert setup.sources["shop"].connector == "sklad"


def test_codes_that_are_legal_names_need_no_remark() -> None:
    assert propose(ServedSource("shop", [table("orders")])).remarks == {}


def test_what_is_named_otherwise_is_said_before_its_dataset() -> None:
    proposed = propose(ServedSource("shop", [table("sales.Orders")]))
    assert list(proposed.setup.datasets) == ["sales_orders"]
    before, _ = written(proposed).split("  sales_orders:\n")
    assert before.splitlines()[-1].startswith("  # dataset 'sales.Orders': named sales_orders;")


@pytest.mark.parametrize("codes", [("orders", "Orders"), ("Orders", "orders")])
def test_a_table_whose_code_is_a_name_keeps_it_beside_one_that_would_become_it(
    codes: tuple[str, str],
) -> None:
    datasets = propose(ServedSource("shop", [table(code) for code in codes])).setup.datasets
    named = {name: entry.external_code for name, entry in datasets.items()}
    assert named == {"orders": "orders", "orders_2": "Orders"}


def test_a_table_that_an_earlier_source_has_is_named_after_its_source() -> None:
    proposed = propose(
        ServedSource("shop", [table("orders"), table("goods")]), ServedSource("Archive", [table("orders")])
    )
    assert list(proposed.setup.datasets) == ["orders", "goods", "archive_orders"]
    assert [entry.source for entry in proposed.setup.datasets.values()] == ["shop", "shop", "archive"]
    assert proposed.setup.sources["archive"].settings["source"] == "Archive"


def test_what_many_datasets_have_in_common_is_said_once() -> None:
    tables = [table(f"sales.t_{number}") for number in range(300)]
    lost = {code: ["column photo is left out"] for code in ("sales.t_1", "sales.t_2")}
    proposed = propose(ServedSource("shop", tables, {"gone": "HTTP 503"}, notes_of_tables=lost))
    assert proposed.remarks == {
        ("datasets", "sales_t_1"): ["column photo is left out"],
        ("datasets", "sales_t_2"): ["column photo is left out"],
        ("sources", "shop"): [
            "300 datasets, such as sales_t_0: named otherwise than their tables: signs other than letters, digits and _ replaced",
            "table gone is left out: HTTP 503",
        ],
    }


def test_a_table_without_a_usable_column_or_description_is_left_out_with_its_reason() -> None:
    proposed = propose(
        ServedSource(
            "shop", [table("orders"), table("photos", columns=[])], {"gone": "HTTP 503\nsources: {}"}
        )
    )
    assert list(proposed.setup.datasets) == ["orders"]
    lines = written(proposed).split("sources:\n")[1].splitlines()
    assert lines[0] == "  # table gone is left out: HTTP 503 sources: {}"
    assert lines[1].startswith("  # table photos is left out: The table 'photos' has no column")
    assert lines[2] == "  shop:"


def test_remarks_about_the_whole_begin_the_file() -> None:
    proposed = propose()
    text = write_setup(proposed.setup, remarks={(): ["Made for a test."]})
    assert text.splitlines()[1:3] == ["# Made for a test.", "version: 1"]


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
SERVED = st.lists(
    st.builds(
        lambda code, title, names: ServedTable(
            code, title, [ExternalColumn(name, name, "int") for name in legal_codes(names)]
        ),
        NAMES,
        NAMES,
        st.lists(NAMES, max_size=4, unique=True),
    ),
    max_size=4,
    unique_by=lambda table: table.code,
)
SOURCES = st.lists(
    st.builds(ServedSource, NAMES, SERVED, st.dictionaries(NAMES, NAMES, max_size=2)),
    max_size=3,
    unique_by=lambda source: source.name,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(SOURCES)
def test_whatever_is_served_the_written_setup_is_read_as_it_was_meant(sources: list[ServedSource]) -> None:
    proposed = propose(*sources)
    assert read_setup(written(proposed), "bi.yaml") == proposed.setup
    named = [column for entry in proposed.setup.datasets.values() for column in entry.columns]
    assert all(column.name == column.external_code for column in named)


@pytest.mark.parametrize("name", ["key", "source"])
def test_the_settings_are_those_of_the_connector(name: str) -> None:
    entry = propose().setup.connectors["connector"]
    assert name in {parameter.code for parameter in entry.settings}

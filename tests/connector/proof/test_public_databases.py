"""Chinook, Northwind and Sakila: each table is proposed, added, previewed, opened as a chart, and healthy.

Chinook is the real one, from a package. Of the other two no package is known: their tables are written here in the shape of
the public ones, with few rows. The types of MySQL and PostgreSQL in their Sakila stand in NATIVE.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import Source
from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset, propose_dataset
from bi_mcp.diagnostics.dataset.outside import open_outside
from bi_mcp.diagnostics.dataset.preview import preview_dataset
from bi_mcp.practice.portal.chart_question import ChartQuestion
from bi_mcp.rest.models import DatasetFields
from tests.connector.databases.serving import DatabaseServer
from tests.connector.proof.connectors import ShopPortal, serve, shop_portal
from tests.connector.proof.found import take
from tests.connector.proof.storing import copy_sqlite

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
DATABASES = {"chinook": 11, "northwind": 13, "sakila": 16}
DIALECTS = ("sqlite", "postgresql", "mariadb")
NATIVE: Mapping[str, tuple[str, ...]] = {
    "mariadb": (
        "CREATE TABLE film (film_id smallint unsigned AUTO_INCREMENT PRIMARY KEY, title varchar(128) NOT NULL, description text, release_year year, language_id tinyint unsigned NOT NULL, rental_rate decimal(4,2) NOT NULL DEFAULT 4.99, length smallint unsigned, rating enum('G','PG','PG-13','R','NC-17') DEFAULT 'G', special_features set('Trailers','Commentaries','Deleted Scenes','Behind the Scenes'), last_update timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
        "CREATE TABLE address (address_id smallint unsigned PRIMARY KEY, address varchar(50) NOT NULL, location geometry NOT NULL)",
        "CREATE TABLE staff (staff_id tinyint unsigned PRIMARY KEY, first_name varchar(45) NOT NULL, picture blob, active boolean NOT NULL DEFAULT TRUE, password varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)",
        "INSERT INTO film VALUES (1, 'ACADEMY', 'An Epic Drama', 2006, 1, 0.99, 86, 'PG', 'Deleted Scenes,Behind the Scenes', '2024-02-29 05:03:42'), (2, 'ACE', NULL, NULL, 1, 4.99, NULL, NULL, NULL, '2024-12-31 23:59:59')",
        "INSERT INTO address VALUES (1, '47 Road', ST_GeomFromText('POINT(1 2)'))",
        "INSERT INTO staff VALUES (1, 'Mike', x'89504e47', TRUE, 'x'), (2, 'Jon', NULL, FALSE, NULL)",
        "CREATE VIEW film_list AS SELECT film_id AS FID, title, rental_rate AS price, rating FROM film",
    ),
    "postgresql": (
        "CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17')",
        "CREATE DOMAIN year AS integer CHECK (VALUE >= 1901 AND VALUE <= 2155)",
        "CREATE TABLE film (film_id serial PRIMARY KEY, title varchar(255) NOT NULL, description text, release_year year, language_id smallint NOT NULL, rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, length smallint, rating mpaa_rating DEFAULT 'G', special_features text[], fulltext tsvector NOT NULL, last_update timestamptz NOT NULL DEFAULT now())",
        "CREATE TABLE staff (staff_id serial PRIMARY KEY, first_name text NOT NULL, picture bytea, active boolean NOT NULL DEFAULT true, password text)",
        "INSERT INTO film VALUES (1, 'ACADEMY', 'An Epic Drama', 2006, 1, 0.99, 86, 'PG', '{\"Deleted Scenes\",Trailers}', to_tsvector('academy drama'), '2024-02-29 05:03:42+00'), (2, 'ACE', NULL, NULL, 1, 4.99, NULL, NULL, NULL, to_tsvector('ace'), '2024-12-31 23:59:59+03')",
        "INSERT INTO staff VALUES (1, 'Mike', '\\x89504e47', true, 'x'), (2, 'Jon', NULL, false, NULL)",
        "CREATE MATERIALIZED VIEW rental_by_category AS SELECT rating, sum(rental_rate) AS total_sales FROM film GROUP BY rating",
        "CREATE VIEW film_list AS SELECT film_id AS fid, title, rental_rate AS price, rating FROM film",
    ),
}


def write(database: str, folder: Path) -> Path:
    if database == "chinook":
        return take("db.py", "db/data/chinook.sqlite", folder)
    file = folder / f"{database}.db"
    with closing(sqlite3.connect(file)) as opened:
        opened.executescript((HERE / f"{database}.sql").read_text(encoding="utf-8"))
    return file


def open_copy(request: pytest.FixtureRequest, file: Path, dialect: str) -> Source:
    if dialect == "sqlite":
        return open_database(Secret(f"sqlite:///{file}"), SourceOptions())
    server: DatabaseServer = request.getfixturevalue(dialect)
    return open_database(server.address(copy_sqlite(file, server)), SourceOptions())


async def trouble(portal: ShopPortal) -> dict[str, object]:
    """Make a dataset of each table, and keep what is not well by the table's code."""
    outside = await open_outside(portal.bi, portal.caller, portal.source)
    found = {}
    for table in (await outside.tables()).items:
        if told := await _trouble_of(portal, table.external_code):
            found[table.external_code] = told
    return found


async def _trouble_of(portal: ShopPortal, table: str) -> object:
    outside = await open_outside(portal.bi, portal.caller, portal.source)
    proposed = await propose_dataset(portal.bi, outside, table)
    fields = DatasetFields.model_validate(proposed.fields)
    # Legal codes leave nothing to change.
    changed = [reason for reason in proposed.reasons if reason.startswith("column")]
    dataset = await portal.bi.datasets.add(fields)
    preview = await preview_dataset(portal.bi, portal.caller, dataset, limit=20)
    chart = await portal.app.state.charts.open(ChartQuestion(dataset))
    *_, diagnosis = await diagnose_dataset(portal.bi, portal.caller, dataset)
    if changed or chart.failure or preview.rows.breaches or diagnosis.verdict != "healthy":
        return changed, chart.failure, preview.rows.breaches, diagnosis
    if list(map(list, chart.rows[:20])) != preview.rows.rows:
        return chart.rows[:20], preview.rows.rows
    return None


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "database",
    [
        pytest.param("chinook", marks=pytest.mark.campaign("public databases")),
        "northwind",
        pytest.param("sakila", marks=pytest.mark.campaign("public databases")),
    ],
)
async def test_every_table_becomes_a_healthy_dataset(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, dialect: str
) -> None:
    with closing(open_copy(request, write(database, tmp_path), dialect)) as source:
        assert len(source.tables()) == DATABASES[database]
        async with shop_portal(serve(source)) as portal:
            assert not await trouble(portal)


@pytest.mark.campaign("public databases")
@pytest.mark.parametrize("dialect", list(NATIVE))
async def test_sakila_in_the_types_of_its_dialect(request: pytest.FixtureRequest, dialect: str) -> None:
    server: DatabaseServer = request.getfixturevalue(dialect)
    with closing(
        open_database(server.address(server.new_database(*NATIVE[dialect])), SourceOptions())
    ) as source:
        types = {column.identifier: column.type for column in source.columns(find(source, "film"))}
        assert types["rental_rate"] == "double"
        assert types["release_year"] == "int"
        assert types["rating"] == types["special_features"] == "string"
        assert types["last_update"] == "datetime"
        assert "picture" not in {column.identifier for column in source.columns(find(source, "staff"))}
        async with shop_portal(serve(source)) as portal:
            assert not await trouble(portal)


def find(source: Source, table: str) -> str:
    return next(code for code in source.tables() if code.lower().endswith(table))

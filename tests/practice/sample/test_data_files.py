"""Data that the user names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.columns import TableColumn
from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample import ORIGIN, create_app
from tests.practice.sample.calls import call, rows

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connector(data: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(data, password=Secret("demo-password"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


def written(folder: Path, text: str, name: str = "orders.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


async def test_a_folder_of_csv_files_is_several_tables(tmp_path: Path) -> None:
    written(tmp_path, "id\n1\n", "open_orders.csv")
    written(tmp_path, "id\tname\n1\tA\n", "clients.TSV")
    async with connector(tmp_path) as client:
        assert (await call(client, "/tables")).json() == [
            {"code": "clients", "title": "Clients"},
            {"code": "open_orders", "title": "Open orders"},
        ]
        assert await rows(client, "clients") == [[1, "A"]]


async def test_a_data_file_that_is_gone_is_reported_without_details(tmp_path: Path) -> None:
    file = written(tmp_path, "id\n1\n")
    async with connector(file) as client:
        file.unlink()
        response = await call(client, "/data", {"table": "orders"})

    assert response.status_code == 503
    assert response.json() == {"error": "The data could not be read just now."}


def test_a_file_that_is_no_table_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"orders\.csv, line 3: "):
        create_app(written(tmp_path, "id,name\n1,A\n2\n"), password=Secret("x"))


def test_a_missing_file_and_an_empty_folder_are_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        create_app(tmp_path / "none.csv", password=Secret("x"))
    with pytest.raises(ConfigError, match="holds no table"):
        create_app(tmp_path, password=Secret("x"))


def test_data_of_ones_own_needs_a_password_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password"):
        create_app(written(tmp_path, "id\n1\n"))


async def test_the_page_of_private_data_shows_neither_tables_nor_password(tmp_path: Path) -> None:
    app = create_app(written(tmp_path, "id\n1\n"), password=Secret("s3cret"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        page = (await client.get("/")).text

    assert "urlTableList" in page
    assert "orders" not in page
    assert "s3cret" not in page
    assert "demo-password" not in page


@pytest.mark.parametrize(
    ("code", "name"), [("tail_number", "TAIL_NUMBER"), ("2nd", "2nd"), ("Сумма", "Сумма")]
)
def test_a_columns_name_is_its_code_in_the_spelling_of_a_dataset_where_that_is_enough(
    code: str, name: str
) -> None:
    assert TableColumn(code, "int").name == name

"""A folder of files: what is served, by which names, and what happens when files change."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.query import parse_query
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.errors import ConfigError
from tests.connector.files.opened import opened, reading


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_folder_of_files_is_several_tables(tmp_path: Path) -> None:
    written(tmp_path, "open_orders.csv", "id\n1\n")
    written(tmp_path, "clients.TSV", "id\tname\n1\tA\n")
    written(tmp_path, "notes.txt", "not a table")
    written(tmp_path, "README.md", "# Read, me\n")
    written(tmp_path, ".hidden.csv", "id\n1\n")
    (tmp_path / "deeper").mkdir()
    written(tmp_path / "deeper", "more.csv", "id\n1\n")
    with opened(tmp_path) as found:
        assert found.source.tables() == {"clients": "Clients", "open_orders": "Open orders"}
        assert found.source.left_out_tables() == {
            "notes.txt": "notes.txt is a text without columns. Export it as CSV, or remove it."
        }
        found.source.check()


def test_files_of_one_name_are_told_apart_by_their_suffix(tmp_path: Path) -> None:
    written(tmp_path, "t.csv", "id,n\n1,a\n")
    written(tmp_path, "t.tsv", "id\tn\n1\tb\n")
    written(tmp_path, "T.json", '[{"n": "c"}]')
    with opened(tmp_path) as found:
        assert list(found.source.tables()) == ["T_json", "t_csv", "t_tsv"]
        assert [found.rows(table)[0][-1] for table in ("t_csv", "t_tsv", "T_json")] == ["a", "b", "c"]
        with pytest.raises(RefusalError, match="There is no table 't'"):
            found.rows("t")


def test_a_broken_file_is_named_and_does_not_break_the_others(tmp_path: Path) -> None:
    written(tmp_path, "broken.csv", "a,b\n1\n")
    written(tmp_path, "empty.csv", "")
    written(tmp_path, "good.csv", "a\n1\n")
    with opened(tmp_path) as found:
        found.source.load()
        assert list(found.source.tables()) == ["good"]
        assert found.source.left_out_tables() == {
            "broken.csv": "broken.csv, line 2: it does not fit the columns (values: 1, columns: 2, delimiter: ','). "
            "Add what is missing, or export the file again.",
            "empty.csv": "empty.csv is empty. Export it again, or remove it.",
        }
        written(tmp_path, "broken.csv", "a,b\n1,2\n")
        assert list(found.source.tables()) == ["broken", "good"]
        assert found.rows("broken") == [[1, 2]]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = written(tmp_path, "secret.csv", "id\n1\n")
    folder = tmp_path / "served"
    folder.mkdir()
    inside = written(folder, "own.csv", "id\n1\n")
    (folder / "out.csv").symlink_to(outside)
    (folder / "alias.csv").symlink_to(inside)
    with opened(folder) as found:
        assert list(found.source.tables()) == ["alias", "own"]


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        open_files(tmp_path / "none.csv", SourceOptions())
    with pytest.raises(ConfigError, match="holds no table"):
        open_files(tmp_path, SourceOptions())


def test_tables_and_titles_may_be_chosen(tmp_path: Path) -> None:
    for name in ("sales_may", "sales_june", "staff"):
        written(tmp_path, f"{name}.csv", "id\n1\n")
    with opened(tmp_path, tables=("sales_*",), titles={"sales_may": "Umsatz"}) as found:
        assert found.source.tables() == {"sales_june": "Sales june", "sales_may": "Umsatz"}
        with pytest.raises(RefusalError) as refused:
            found.rows("staff")
        assert refused.value.status == 404


def test_a_file_that_appears_changes_or_goes_is_noticed(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id\n1\n")
    with opened(tmp_path) as found:
        assert found.rows("a") == [[1]]
        written(tmp_path, "b.csv", "id\n7\n")
        assert found.rows("b") == [[7]]
        written(tmp_path, "a.csv", "id,name\n1,x\n2,y\n")
        assert found.types("a") == {"id": "int", "name": "string"}
        assert found.rows("a") == [[1, "x"], [2, "y"]]
        # The same size, another time.
        written(tmp_path, "a.csv", "id,name\n1,x\n2,z\n")
        os.utime(file, ns=(1, 1))
        assert found.rows("a") == [[1, "x"], [2, "z"]]
        file.unlink()
        assert list(found.source.tables()) == ["b"]
        assert found.source._versions.keys() == {"b"}


def test_readers_of_an_old_version_read_it_to_its_end(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id\n" + "1\n" * 20_000)
    with opened(tmp_path) as found:
        answer = found.source.rows("a", parse_query({}))
        chunks = answer.chunks()
        read = len(next(chunks))
        file.write_text("id\n" + "2\n" * 5)
        assert found.rows("a") == [[2]] * 5
        assert read + sum(len(chunk) for chunk in chunks) == 20_000
        # The old version went with its last reader.
        tables = found.source._engine.cursor().execute("SELECT count(*) FROM duckdb_tables()").fetchall()
        assert tables == [(1,)]


def test_many_callers_at_once_load_a_table_once(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "id\n" + "1\n" * 50_000)
    with opened(tmp_path) as found:
        answers: list[int] = []
        threads = [threading.Thread(target=lambda: answers.append(len(found.rows("a")))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [50_000] * 8
        assert found.source._engine.new_name("x") == "store.x_3"


def test_a_cancelled_answer_ends_with_an_error(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "id\n" + "1\n" * 20_000)
    with opened(tmp_path) as found:
        answer = found.source.rows("a", parse_query({}))
        chunks = answer.chunks()
        next(chunks)
        answer.cancel()
        with pytest.raises(SourceError, match="cancelled"):
            list(chunks)
        answer.cancel()
        assert len(found.rows("a")) == 20_000


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "id,name\n" + "1,abc\n" * 300_000)
    with opened(tmp_path, timeout=0.0) as found, pytest.raises(SourceError, match="took too long"):
        found.rows("a", [("filter[%name]", "zzz")])


def test_a_closed_answer_gives_back_its_table(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "id\n1\n")
    with opened(tmp_path) as found:
        answer = found.source.rows("a", parse_query({}))
        answer.close()
        answer.close()
        assert found.source._versions["a"].readers == 0
        with pytest.raises(RefusalError, match="no such column"):
            found.rows("a", [("filter[nothing]", "1")])
        assert found.source._versions["a"].readers == 0


def test_a_full_disk_is_said_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "a.csv", "Title\n\nid,name\n1,x\n")
    with opened(tmp_path) as found:
        folder = found.source._engine.temporary

        place = tmp_path / "full"
        place.symlink_to("/dev/full")
        monkeypatch.setattr(found.source._engine, "new_file", lambda _: place)
        with pytest.raises(SourceError) as refused:
            found.types("a")
        assert f"the temporary folder {folder.parent} is full" in refused.value.cause
        assert str(folder) not in str(refused.value)


def test_wide_rows_are_granted_more_memory_up_to_what_the_source_may_use(tmp_path: Path) -> None:
    width = 60
    lines = (",".join(f"{'x' * 90}{number}" for number in range(row, row + width)) for row in range(5000))
    written(tmp_path, "a.csv", "\n".join([",".join(f"c{at}" for at in range(width)), *lines]))
    with opened(tmp_path, memory=256) as found:
        assert len(found.rows("a")) == 5000
    with opened(tmp_path, memory=8) as found:
        with pytest.raises(SourceError) as refused:
            found.rows("a")
        assert "set a larger `memory`" in refused.value.cause


def test_the_temporary_folder_goes_with_the_source(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "id\n1\n")
    with opened(tmp_path) as found:
        found.rows("a")
        folder = found.source._engine.temporary
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_capitals_of_a_name_stay_in_the_title(tmp_path: Path) -> None:
    for name in ("Продажи 1С", "open_orders_EU", "iPhone"):
        written(tmp_path, f"{name}.csv", "id\n1\n")
    with opened(tmp_path) as found:
        assert set(found.source.tables().values()) == {"Продажи 1С", "Open orders EU", "IPhone"}


def test_a_file_that_is_not_what_its_name_says_is_told(tmp_path: Path) -> None:
    written(tmp_path, "orders.xlsx", "id;name\n1;a\n")
    written(tmp_path, "broken.xlsx", "this is no workbook\n")
    written(tmp_path, "header.parquet", "id;name\n")
    written(tmp_path, "rows.csv", '{"id": 1}\n')
    with opened(tmp_path) as found:
        found.source.load()
        assert list(found.source.tables()) == ["orders", "rows"]
        assert "orders.xlsx is delimited text, not a workbook" in found.notes("orders")
        assert "rows.csv is JSON, not delimited text" in found.notes("rows")
        assert found.source.left_out_tables() == {
            "broken.xlsx": "broken.xlsx is delimited text, not a workbook, and it holds no table. Export it again, or remove it.",
            "header.parquet": "header.parquet is delimited text, not a Parquet file, and it holds no table. Export it again, or remove it.",
        }


@pytest.mark.parametrize(
    ("name", "delimiter", "told"),
    [
        ("a.csv", ",", ""),
        ("a.csv", ";", ""),
        ("a.tsv", "\t", ""),
        ("a.csv", "\t", "tab"),
        ("a.tsv", ";", "semicolon"),
    ],
)
def test_only_a_delimiter_that_the_name_does_not_suggest_is_told(
    tmp_path: Path, name: str, delimiter: str, told: str
) -> None:
    written(tmp_path, name, delimiter.join("ab") + "\n" + delimiter.join("xy") + "\n")
    with opened(tmp_path) as found:
        assert found.notes("a") == (f"delimiter {told}" if told else "")


def test_a_line_that_does_not_fit_is_told_with_what_to_do(tmp_path: Path) -> None:
    written(tmp_path, "long.csv", "a,b\n1,2,3\n")
    written(tmp_path, "short.csv", "a,b\n1\n")
    with opened(tmp_path) as found:
        with pytest.raises(ConfigError):
            found.source.load()
        reasons = found.source.left_out_tables()
        assert reasons["long.csv"].endswith(
            "Put double quotes around values that hold the delimiter, or export the file again."
        )
        assert reasons["short.csv"].endswith("Add what is missing, or export the file again.")


def test_a_file_that_is_replaced_again_and_again_takes_no_more_room(tmp_path: Path) -> None:
    sizes = []
    with reading(tmp_path, "id,name\n") as found:
        for at in range(8):
            (tmp_path / "orders.csv").write_text("id,name\n" + f"1,name {at}\n" * 50_000)
            assert len(found.rows()) == 50_000
            sizes.append((found.source._engine.temporary / "tables.duckdb").stat().st_size)
    assert sizes[-1] <= sizes[2]

"""What a person hears about files is in the language in which the connector was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.base.language import LANGUAGES, Language, speaking
from bi_mcp.connector.remarks import find_remarks
from bi_mcp.errors import ConfigError
from tests.connector.files.opened import opened, reading

ORDERS = "id;сумма;доля;дата\n1;1 850,50;12%;31.12.2025\n2;7,25;5%;n/a\n"


NOTES = {
    "en": [
        "column 'сумма': decimal comma, thousands set off by spaces",
        "percent signs taken off: 12% is 12",
        "values such as n/a that count as missing: 1 of 2",
    ],
    "ru": [
        "столбец 'сумма': десятичная запятая, тысячи отделены пробелами",
        "знаки процента убраны: 12% — это 12",
        "значений вроде n/a, которые считаются отсутствующими: 1 из 2",
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_notes_are_in_the_language_of_who_starts_the_connector(tmp_path: Path, language: Language) -> None:
    with speaking(language), reading(tmp_path, ORDERS) as found:
        notes = found.notes()
    assert [note for note in NOTES[language] if note not in notes] == []


def test_what_is_left_out_is_in_the_language_of_who_starts_the_connector(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1\n", encoding="utf-8")
    (tmp_path / "plan.csv").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "good.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with speaking("ru"), opened(tmp_path) as found:
        told = find_remarks(found.source).of_source
    assert (
        "plan.csv: пропущено. plan.csv — документ PDF, а не таблица. Экспортируйте данные в CSV или Excel."
        in told
    )
    assert any("строка 2: не подходит к столбцам (значений: 1, столбцов: 2" in line for line in told)


def test_a_folder_that_is_not_there_is_told_in_the_same_language(tmp_path: Path) -> None:
    with (
        speaking("ru"),
        pytest.raises(ConfigError, match="такого файла или папки нет"),
        opened(tmp_path / "no"),
    ):
        pass

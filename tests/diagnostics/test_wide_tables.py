"""Tables of hundreds of columns are diagnosed as quickly, and answered as shortly."""

from __future__ import annotations

from bi_mcp.diagnostics.dataset.views import ExternalColumn
from bi_mcp.rest.models import Column
from tests.diagnostics.test_dataset_views import DESCRIBED, changes, diagnosed, only, replaced


def test_a_wide_table_of_which_every_code_changed_its_case_is_matched() -> None:
    codes = [f"some_rather_long_code_{number}" for number in range(300)]
    columns = [
        Column(id=number + 1, name=code.upper(), external_code=code, type="int")
        for number, code in enumerate(codes)
    ]
    diagnosis = diagnosed(columns, [ExternalColumn(code.title(), "", "int") for code in codes], None)
    [renamed] = [finding for finding in diagnosis.findings if finding.call]
    columns_replaced = replaced(renamed)
    assert len(columns_replaced) == 300
    assert columns_replaced[7] == {"id": 8, "externalCode": "Some_Rather_Long_Code_7"}
    assert len(renamed.what) < 1000


def test_only_some_of_many_new_columns_are_offered() -> None:
    many = [ExternalColumn(f"new{number}x", "", "int") for number in range(500)]
    call = only(diagnosed(described=[*DESCRIBED, *many])).call
    assert len(changes(call).add or []) == 50

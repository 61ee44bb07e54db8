"""Findings that are one fact are told as one, with who acts and what charts show."""

from __future__ import annotations

from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.chart_effects import describe_charts
from bi_mcp.diagnostics.findings.finding import ColumnPlace, Finding
from bi_mcp.diagnostics.findings.folding import fold_columns, fold_repeated
from tests.diagnostics.test_dataset_views import COLUMNS, DESCRIBED, SAMPLE, diagnosed, replaced


def gone(number: int) -> Finding:
    call: dict[str, object] = {"tool": "dataset_fields_update", "arguments": {"id": 9, "delete": [number]}}
    column = ColumnPlace(f"C{number}", f"c{number}")
    return rules.COLUMN_VANISHED.finding(
        f"column C{number} (c{number})", warning="!", call=call, about=[column]
    )


def test_findings_of_one_kind_over_many_columns_are_one_with_one_call() -> None:
    [folded] = fold_columns([gone(number) for number in range(30)])
    assert folded.where.startswith("columns C0 (c0), C1 (c1)")
    assert folded.where.endswith("and 20 more")
    assert folded.what == gone(0).what
    assert folded.call == {"tool": "dataset_fields_update", "arguments": {"id": 9, "delete": list(range(30))}}
    assert len(folded.columns) == 30


def test_what_differs_is_said_by_column_and_cut() -> None:
    findings = [
        rules.COLUMN_EMPTY.finding(f"column C{rows}", rows=rows, about=[ColumnPlace(f"C{rows}", "c")])
        for rows in range(8)
    ]
    [folded] = fold_columns(findings)
    assert "C4: Empty in all 4 rows" in folded.what
    assert "The same of C5, C6, C7." in folded.what


def test_a_single_finding_stays_as_it_is_and_kinds_are_not_mixed() -> None:
    empty = rules.COLUMN_EMPTY.finding("column A (a)", rows=3, about=[ColumnPlace("A", "a")])
    assert fold_columns([gone(1), empty]) == [gone(1), empty]


def test_the_same_of_several_places_is_said_once() -> None:
    [folded] = fold_repeated([rules.NO_COLUMNS_OUTSIDE.finding(where) for where in ("one", "two")])
    assert folded.where == "one, two"


def test_what_charts_show_is_said_by_the_worst_that_happens() -> None:
    assert describe_charts([]) == "Charts of this dataset get their values."
    assert describe_charts([gone(1)]) == "Charts of this dataset show no values for C1."
    lost = rules.TABLE_GONE.finding("table", table="t")
    assert describe_charts([gone(1), lost]) == "Charts of this dataset show nothing."


def test_a_renamed_column_is_one_finding_that_says_who_acts_and_what_charts_show() -> None:
    described = [DESCRIBED[0], DESCRIBED[1].__class__("amount_gross", "Amount", "double"), DESCRIBED[2]]
    diagnosis = diagnosed(COLUMNS, described, None)
    renamed = next(finding for finding in diagnosis.findings if finding.code == "column_renamed")
    assert replaced(renamed) == [{"id": 12, "externalCode": "amount_gross"}]
    assert renamed.who == "you"
    assert "its label is still 'Amount', it stands at the same place" in renamed.what
    assert [finding.code for finding in diagnosis.findings] == ["no_answer", "column_renamed"]


def test_a_weak_match_offers_no_call_and_says_what_to_look_at() -> None:
    described = [DESCRIBED[0], DESCRIBED[1].__class__("weight", "Weight", "double"), DESCRIBED[2]]
    diagnosis = diagnosed(COLUMNS, described, None)
    weak = next(finding for finding in diagnosis.findings if finding.code == "column_renamed_perhaps")
    assert weak.offered == []
    assert weak.who == "connector operator"
    assert "the old values are gone" in (weak.fix or "")


def test_a_header_with_other_columns_than_those_asked_for_is_one_finding() -> None:
    sample = SAMPLE.__class__(["id", "sum", "paid_on"], [[1, 2, None]], selected=SAMPLE.selected)
    [finding] = diagnosed(sample=sample).findings
    assert "select asked for them: 'amount'. It has others instead: 'sum'." in finding.what
    assert diagnosed(sample=sample).charts == "Charts of this dataset show no values for AMOUNT."


def test_readers_are_not_shown_what_serves_to_fold() -> None:
    assert set(gone(1).model_dump(exclude_none=True)) == {
        "code",
        "level",
        "where",
        "what",
        "who",
        "fix",
        "call",
    }

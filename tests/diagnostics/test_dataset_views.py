"""The four views of a dataset, joined. Each defect is found, named, and has the call that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bi_mcp.base.advice import use_words
from bi_mcp.diagnostics.dataset.views import DatasetContext, Diagnosis, ExternalColumn, Sample, diagnose_views
from bi_mcp.diagnostics.findings import chart_rules
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import (
    Column,
    ColumnChanges,
    Connector,
    ConnectorChanges,
    Dataset,
    Source,
)
from bi_mcp.server.advice import WORDS

COLUMNS = [
    Column(id=11, name="ID", external_code="id", type="int", visible=True),
    Column(id=12, name="AMOUNT", external_code="amount", type="double", visible=True),
    Column(id=13, name="PAID_ON", external_code="paid_on", type="date", visible=True),
]
DESCRIBED = [
    ExternalColumn("id", "Number", "int"),
    ExternalColumn("amount", "Amount", "double"),
    ExternalColumn("paid_on", "Paid on", "date"),
]
CODES = ["id", "amount", "paid_on"]
SAMPLE = Sample(CODES, [[1, 10.5, "2025-12-31"], [2, 7, "2025-12-30"]], selected=CODES)
SECRET = "correct horse"
SOURCE = Source.model_validate(
    {
        "id": 5,
        "active": True,
        "dateUpdate": None,
        "settings": [{"code": "login", "value": "u"}, {"code": "password", "value": SECRET}],
    }
)
CONNECTOR = Connector.model_validate(
    {
        "id": 3,
        "dateCreate": "2025-01-01 10:00:00",
        "settings": [
            {"code": "login", "name": "Login", "type": "STRING"},
            {"code": "password", "name": "Password", "type": "STRING"},
        ],
    }
)
CONTEXT = DatasetContext(Dataset(id=9, name="orders", date_create="2025-06-01 10:00:00"), SOURCE, CONNECTOR)


def diagnosed(
    columns: Sequence[Column] = COLUMNS,
    described: Sequence[ExternalColumn] | None = DESCRIBED,
    sample: Sample | None = SAMPLE,
    context: DatasetContext = CONTEXT,
) -> Diagnosis:
    return diagnose_views(columns, described, sample, context)


def outside(*codes: str) -> list[ExternalColumn]:
    """The description with other columns; those that are known keep their types."""
    types = {column.code: column.type for column in DESCRIBED}
    return [ExternalColumn(code, code, types.get(code, "double")) for code in codes]


def answered(*codes: str) -> Sample:
    return Sample(codes, [[1] * len(codes)])


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis.findings
    return diagnosis.findings[0]


def changes(call: Mapping[str, object] | None) -> ColumnChanges:
    """The call's arguments, as the tool would read them."""
    assert call is not None
    assert call["tool"] == "dataset_fields_update"
    arguments = call["arguments"]
    assert isinstance(arguments, dict)
    assert arguments["id"] == 9
    return ColumnChanges.model_validate({key: value for key, value in arguments.items() if key != "id"})


def replaced(finding: Finding) -> list[dict[str, object]]:
    """The columns of the one call that gives them other codes or types; their names stay."""
    assert finding.calls is None
    assert finding.call is not None
    assert finding.call["tool"] == "dataset_columns_replace"
    assert "Charts" in (finding.fix or "")
    arguments = finding.call["arguments"]
    assert isinstance(arguments, dict)
    assert arguments["id"] == 9
    columns: list[dict[str, object]] = arguments["columns"]
    return columns


def test_a_healthy_dataset_has_no_findings() -> None:
    assert diagnosed() == ("healthy", [])


def test_a_healthy_mapped_dataset_has_no_findings() -> None:
    mapped = {"id": "ID", "amount": "AMOUNT", "paid_on": "PAID_ON"}
    sample = Sample(list(mapped.values()), SAMPLE.rows, selected=CODES, mapped=mapped)
    assert diagnosed(sample=sample) == ("healthy", [])


def test_names_that_are_other_columns_codes_are_told_apart() -> None:
    columns = [
        Column(id=1, name="B", external_code="A", type="int"),
        Column(id=2, name="A", external_code="B", type="date"),
    ]
    described = [ExternalColumn("A", "", "int"), ExternalColumn("B", "", "date")]
    sample = Sample(["B", "A"], [[1, "2025-12-31"]], selected=["A", "B"], mapped={"A": "B", "B": "A"})
    assert diagnosed(columns, described, sample) == ("healthy", [])


def test_a_column_that_vanished_outside_breaks_the_dataset_and_can_be_deleted() -> None:
    diagnosis = diagnosed(described=outside("id", "amount"), sample=answered("id", "amount"))
    finding = only(diagnosis)
    assert diagnosis.verdict == "broken"
    assert finding.where == "column PAID_ON (paid_on)"
    assert "external column is gone" in finding.what
    assert changes(finding.call).delete == [13]


def test_without_a_description_the_header_tells_what_vanished() -> None:
    diagnosis = diagnosed(described=None, sample=answered("id", "amount"))
    vanished = [finding for finding in diagnosis.findings if finding.where.startswith("column")]
    assert "header of urlData" in vanished[0].what
    assert diagnosis.verdict == "broken"


def test_a_hidden_column_that_vanished_is_a_note() -> None:
    hidden = [*COLUMNS[:2], COLUMNS[2].model_copy(update={"visible": False})]
    diagnosis = diagnosed(hidden, outside("id", "amount"), answered("id", "amount"))
    assert diagnosis.verdict == "healthy"
    assert {finding.level for finding in diagnosis.findings} == {"note"}


def test_a_column_that_appeared_outside_can_be_added_under_a_legal_name() -> None:
    described = [
        *DESCRIBED,
        ExternalColumn("PaidOn", "Paid", "moment"),
        ExternalColumn("Скидка", "", "money"),
    ]
    codes = [*CODES, "PaidOn", "Скидка"]
    diagnosis = diagnosed(described=described, sample=Sample(codes, [], selected=codes))
    finding = next(finding for finding in diagnosis.findings if finding.call)
    added = changes(finding.call).add or []
    assert finding.level == "note"
    assert [(column.name, column.external_code, column.type) for column in added] == [
        ("PAIDON", "PaidOn", "string"),
        ("SKIDKA", "Скидка", "money"),
    ]


@pytest.mark.parametrize(
    ("new", "what"),
    [
        ("Amount", "case-sensitive"),
        ("AMOUNT", "case-sensitive"),
        ("amount ", "other spaces or signs, or letters"),
        ("аmount", "only look the same"),
        ("a-mount", "other spaces or signs, or letters"),
        ("amonut", "probably its new name"),
    ],
)
def test_a_renamed_code_is_recognised_and_the_column_made_again_under_its_name(new: str, what: str) -> None:
    codes = ["id", new, "paid_on"]
    diagnosis = diagnosed(described=outside(*codes), sample=Sample(codes, []))
    finding = next(finding for finding in diagnosis.findings if finding.call)
    assert diagnosis.verdict == "broken"
    assert what in finding.what
    assert replaced(finding) == [{"id": 12, "externalCode": new}]


def test_numbered_codes_are_not_each_others_new_names() -> None:
    columns = [Column(id=1, name="UTM_1", external_code="utm_1", type="string")]
    findings = diagnosed(columns, [ExternalColumn("utm_2", "", "string")], None).findings
    assert {finding.code for finding in findings} == {"column_vanished", "columns_new", "no_answer"}


def test_the_most_alike_codes_are_paired() -> None:
    columns = [
        Column(id=1, name="A", external_code="order_total", type="double"),
        Column(id=2, name="B", external_code="order_totals", type="double"),
    ]
    described = [ExternalColumn("order_totals_", "", "double"), ExternalColumn("ordertotal", "", "double")]
    findings = diagnosed(columns, described, None).findings
    [finding] = [finding for finding in findings if finding.call]
    assert replaced(finding) == [
        {"id": 1, "externalCode": "ordertotal"},
        {"id": 2, "externalCode": "order_totals_"},
    ]


def test_codes_described_twice_are_an_error() -> None:
    diagnosis = diagnosed(described=[*DESCRIBED, DESCRIBED[0]])
    assert only(diagnosis).level == "error"
    assert "'id'" in only(diagnosis).what


@pytest.mark.parametrize("twin", ["Amount", "amount ", "AMOUNT", "amоunt", "a_mount"])
def test_codes_that_people_take_for_the_same_are_a_warning(twin: str) -> None:
    columns = [*COLUMNS, Column(id=14, name="TWIN", external_code=twin, type="double")]
    diagnosis = diagnosed(columns, [*DESCRIBED, *outside(twin)], None, CONTEXT)
    assert any("easily confused" in finding.what for finding in diagnosis.findings)


def test_hidden_columns_are_noted_with_the_call_that_shows_them() -> None:
    columns = [COLUMNS[0], *(column.model_copy(update={"visible": False}) for column in COLUMNS[1:])]
    finding = only(diagnosed(columns))
    assert finding.level == "note"
    assert [(change.id, change.visible) for change in changes(finding.call).update or []] == [
        (12, True),
        (13, True),
    ]


def test_a_type_that_differs_from_the_description_can_be_changed_in_one_call() -> None:
    columns = [COLUMNS[0].model_copy(update={"type": "string"}), *COLUMNS[1:]]
    diagnosis = diagnosed(columns)
    finding = only(diagnosis)
    assert diagnosis.verdict == "degraded"
    assert "string here and int in urlTableDescription" in finding.what
    assert replaced(finding) == [{"id": 11, "type": "int"}]


def test_a_description_that_the_values_contradict_is_told_to_be_wrong() -> None:
    described = [DESCRIBED[0], ExternalColumn("amount", "", "int"), DESCRIBED[2]]
    finding = only(diagnosed(described=described))
    assert "the description is wrong" in finding.what
    assert finding.calls is None


def test_a_type_that_bitrix24_does_not_know_is_told() -> None:
    columns = [COLUMNS[0].model_copy(update={"type": "string"}), *COLUMNS[1:]]
    described = [ExternalColumn("id", "", "INTEGER"), *DESCRIBED[1:]]
    finding = only(diagnosed(columns, described))
    assert "'INTEGER'" in finding.what


def test_dates_in_another_format_are_named_with_their_rows_and_values() -> None:
    rows: list[list[object]] = [[1, 1.5, "2025-12-31"], [2, 1.5, "31.12.2025"], [3, 1.5, "30.12.2025"]]
    diagnosis = diagnosed(sample=replace(SAMPLE, rows=rows))
    finding = only(diagnosis)
    assert diagnosis.verdict == "degraded"
    assert finding.where == "column PAID_ON (paid_on)"
    assert '"31.12.2025" in row 2 of the data (d.m.Y)' in finding.what
    assert "2 of 3 values" in finding.what
    assert "Y-m-d" in (finding.fix or "")
    # As a text a date has no periods: the connector has to write it otherwise.
    assert finding.who == "connector operator"
    assert "would lose its periods" in (finding.fix or "")
    assert finding.offered == []


def test_a_column_without_one_right_value_breaks_the_dataset() -> None:
    rows: list[list[object]] = [[1, "1,5", "2025-12-31"], [2, "2,5", "2025-12-31"]]
    diagnosis = diagnosed(sample=replace(SAMPLE, rows=rows))
    assert diagnosis.verdict == "broken"
    assert "decimal comma" in only(diagnosis).what


def test_decimals_in_an_int_are_mended_by_a_double() -> None:
    finding = only(diagnosed(sample=replace(SAMPLE, rows=[[1.5, 1, "2025-12-31"]])))
    assert replaced(finding) == [{"id": 11, "type": "double"}]


def test_nested_values_suit_no_type_so_that_no_call_is_offered() -> None:
    columns = [COLUMNS[0].model_copy(update={"type": "string"})]
    described = [ExternalColumn("id", "", "string")]
    finding = only(diagnosed(columns, described, Sample(["id"], [[{"value": 1}]])))
    assert "array or object" in finding.what
    assert finding.calls is None


def test_an_empty_column_is_noted() -> None:
    finding = only(diagnosed(sample=replace(SAMPLE, rows=[[1, None, "2025-12-31"], [2, "", "2025-12-31"]])))
    assert finding.level == "note"
    assert finding.where == "column AMOUNT (amount)"
    assert "Empty in all 2 rows" in finding.what


def test_text_of_mixed_kinds_is_noted() -> None:
    columns = [Column(id=1, name="ID", external_code="id", type="string")]
    described = [ExternalColumn("id", "", "string")]
    finding = only(diagnosed(columns, described, Sample(["id"], [[1], ["abc"], ["2025-12-31"]])))
    assert "numbers, texts" in finding.what


def test_a_missing_header_is_an_error() -> None:
    diagnosis = diagnosed(sample=Sample([], []))
    assert diagnosis.verdict == "broken"
    assert "not a list of codes" in only(diagnosis).what


def test_values_in_place_of_the_header_are_recognised() -> None:
    finding = only(diagnosed(sample=Sample(["1", "10.5", "2025-12-31"], [])))
    assert finding.level == "error"
    assert "none of the table's codes" in finding.what


def test_a_header_of_values_says_nothing_about_columns_that_vanished() -> None:
    findings = diagnosed(described=None, sample=Sample(["1", "2"], [])).findings
    assert {finding.where for finding in findings} == {"header of urlData", "urlTableDescription"}


@pytest.mark.parametrize(
    ("header", "selected", "level", "what"),
    [
        (["id", "amount"], CODES, "error", "select asked for them: 'paid_on'"),
        (["id", "amount"], [], "error", "urlTableDescription lists them: 'paid_on'"),
        (CODES, ["id", "amount"], "warning", "select did not ask for: 'paid_on'"),
        (["amount", "id", "paid_on"], CODES, "warning", "a different order"),
        ([*CODES, "id"], CODES, "error", "more than once: 'id'"),
    ],
)
def test_a_header_out_of_step_is_told(header: list[str], selected: list[str], level: str, what: str) -> None:
    findings = diagnosed(sample=Sample(header, [[None] * len(header)], selected=selected)).findings
    assert [finding.level for finding in findings if what in finding.what] == [level]


def test_a_column_of_the_answer_that_is_not_described_is_told() -> None:
    finding = only(diagnosed(sample=Sample([*CODES, "extra"], [[1, 1, None, 1]])))
    assert "does not list: 'extra'" in finding.what


def test_ragged_rows_are_counted_with_their_numbers_and_their_values_not_judged() -> None:
    rows: list[list[object]] = [[1, 1.5, "2025-12-31"], ["x"], [2, 2, "2025-12-31", 4]]
    finding = only(diagnosed(sample=replace(SAMPLE, rows=rows)))
    assert finding.level == "error"
    assert "row 2 has 1, row 3 has 4" in finding.what


def test_rows_of_offences_are_counted_over_ragged_rows_too() -> None:
    rows: list[list[object]] = [["x"], ["y", 1, None]]
    findings = diagnosed(sample=replace(SAMPLE, rows=rows)).findings
    assert any('"y" in row 2 of the data' in finding.what for finding in findings)


def test_no_rows_are_a_note() -> None:
    diagnosis = diagnosed(sample=replace(SAMPLE, rows=[]))
    assert diagnosis.verdict == "healthy"
    assert "no rows" in only(diagnosis).what


def test_no_answer_of_either_endpoint_is_unreachable_with_the_reasons() -> None:
    failures = {"urlTableDescription": "timed out", "urlData": "status 500"}
    diagnosis = diagnosed(
        described=None,
        sample=None,
        context=DatasetContext(
            CONTEXT.dataset, failures={"urlTableDescription": "timed out", "urlData": "status 500"}
        ),
    )
    assert diagnosis.verdict == "unreachable"
    assert [finding.where for finding in diagnosis.findings] == list(failures)
    assert all(
        reason in finding.what for reason, finding in zip(failures.values(), diagnosis.findings, strict=True)
    )


def test_one_endpoint_without_an_answer_breaks_the_dataset() -> None:
    assert diagnosed(sample=None).verdict == "broken"
    assert diagnosed(described=None).verdict == "broken"


@pytest.mark.parametrize("generation", ["classic", "tables"])
def test_an_inactive_source_breaks_the_dataset(generation: PortalGeneration) -> None:
    source = SOURCE.model_copy(update={"active": False})
    context = replace(CONTEXT, source=source, generation=generation)
    diagnosis = diagnosed(context=context)
    call = only(diagnosis).call
    assert diagnosis.verdict == "broken"
    if generation == "tables":
        assert call is None
    else:
        assert call == {"tool": "source_update", "arguments": {"id": 5, "fields": {"active": True}}}


def test_a_setting_that_the_connector_declares_and_the_source_lacks_is_told() -> None:
    source = SOURCE.model_copy(update={"settings": (SOURCE.settings or [])[:1]})
    with use_words(WORDS):
        diagnosis = diagnosed(context=replace(CONTEXT, source=source))
    finding = only(diagnosis)
    assert diagnosis.verdict == "degraded"
    assert "password" in finding.what
    assert finding.call == {
        "tool": "source_update",
        "arguments": {"id": 5, "fields": {"settings": {"password": {"secret": "source-5-password"}}}},
    }
    # The connector of this test has no address.
    assert "`bi-mcp secret set source-5-password --for HOST`" in (finding.fix or "")
    assert '{"env": "BI_MCP_SECRET_…"} does as well' in (finding.fix or "")


def test_of_missing_values_those_that_may_be_shown_are_passed_as_text() -> None:
    source = SOURCE.model_copy(update={"settings": []})
    connector = CONNECTOR.model_copy(update={"url_data": "https://shop.example/data"})
    with use_words(WORDS):
        finding = only(diagnosed(context=replace(CONTEXT, source=source, connector=connector)))
    assert finding.call is not None
    assert finding.call["arguments"] == {
        "id": 5,
        "fields": {"settings": {"password": {"secret": "source-5-password"}}},
    }
    assert "`bi-mcp secret set source-5-password --for shop.example`" in (finding.fix or "")
    assert "pass them as text: login." in (finding.fix or "")


def test_an_empty_setting_is_noted() -> None:
    settings = [{"code": "login", "value": "u"}, {"code": "password", "value": ""}]
    source = Source.model_validate({"id": 5, "settings": settings})
    finding = only(diagnosed(context=replace(CONTEXT, source=source)))
    assert finding.level == "note"
    assert "password" in finding.what


def test_a_parameter_that_the_connector_lost_can_be_declared_again() -> None:
    connector = CONNECTOR.model_copy(update={"settings": (CONNECTOR.settings or [])[:1]})
    finding = only(diagnosed(context=replace(CONTEXT, connector=connector)))
    assert finding.level == "warning"
    assert finding.call is not None
    arguments = finding.call["arguments"]
    assert isinstance(arguments, dict)
    declared = ConnectorChanges.model_validate(arguments["fields"]).settings or []
    assert [parameter.code for parameter in declared] == ["login", "password"]


def test_a_connector_that_is_younger_than_the_dataset_is_noted() -> None:
    connector = CONNECTOR.model_copy(update={"date_create": "2025-07-01 10:00:00"})
    diagnosis = diagnosed(context=replace(CONTEXT, connector=connector))
    assert diagnosis.verdict == "healthy"
    assert "2025-07-01" in only(diagnosis).what


def test_a_connectors_change_is_noted_where_the_portal_tells_it() -> None:
    connector = Connector.model_validate(
        CONNECTOR.model_dump(by_alias=True) | {"dateUpdate": "2025-08-01 10:00:00"}
    )
    assert "2025-08-01" in only(diagnosed(context=replace(CONTEXT, connector=connector))).what


def test_a_changed_source_is_noted_only_where_there_is_trouble() -> None:
    context = replace(CONTEXT, source=SOURCE.model_copy(update={"date_update": "2025-09-01 10:00:00"}))
    assert diagnosed(context=context).findings == []
    troubled = diagnosed(sample=Sample([], []), context=context).findings
    assert [finding.level for finding in troubled] == ["error", "note"]


def test_a_dataset_without_columns_is_broken() -> None:
    assert diagnosed([]).verdict == "broken"


def test_the_gravest_findings_come_first_and_none_holds_a_secret() -> None:
    columns = [*COLUMNS[:2], COLUMNS[2].model_copy(update={"visible": False, "external_code": "gone"})]
    rows: list[list[object]] = [["x", "1,5", None], [1, 2, None]]
    source = SOURCE.model_copy(update={"active": False, "date_update": "2025-09-01 10:00:00"})
    connector = CONNECTOR.model_copy(update={"settings": []})
    context = replace(CONTEXT, source=source, connector=connector)
    findings = diagnosed(columns, sample=replace(SAMPLE, rows=rows), context=context).findings
    levels = [finding.level for finding in findings]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    assert set(levels) == {"error", "warning", "note"}
    assert SECRET not in repr([finding.model_dump() for finding in findings])


def test_text_that_only_looks_like_numbers_or_dates_here_and_there_is_no_finding() -> None:
    columns = [Column(id=1, name="ID", external_code="id", type="string")]
    described = [ExternalColumn("id", "", "string")]
    assert diagnosed(columns, described, Sample(["id"], [["1001"], ["A-17"], ["2025-12-31"]])).findings == []


def test_the_described_type_is_offered_where_it_suits_the_values() -> None:
    columns = [Column(id=12, name="AMOUNT", external_code="amount", type="int")]
    described = [ExternalColumn("amount", "", "money")]
    finding = only(diagnosed(columns, described, Sample(["amount"], [[10.5]])))
    assert replaced(finding) == [{"id": 12, "type": "money"}]


def test_types_that_a_classic_portal_does_not_know_count_as_what_stands_for_them() -> None:
    described = [DESCRIBED[0], ExternalColumn("amount", "", "money"), DESCRIBED[2]]
    assert diagnosed(described=described, context=replace(CONTEXT, generation="classic")).findings == []
    assert diagnosed(described=described).verdict == "degraded"


def test_a_table_without_one_of_the_columns_is_told_once_and_nothing_is_deleted() -> None:
    diagnosis = diagnosed(described=outside("city", "country"), sample=None)
    finding = next(finding for finding in diagnosis.findings if finding.where == "columns")
    assert "any of the 3 columns" in finding.what
    assert finding.call is None
    assert len(diagnosis.findings) == 2


def test_an_empty_description_is_told_once() -> None:
    finding = only(diagnosed(described=[]))
    assert finding.where == "urlTableDescription"


def test_charts_of_which_only_the_date_range_fails_are_told_so() -> None:
    failing = chart_rules.CHART_FAILS.finding("urlData", said="It fails.", effect="dates")
    diagnosis = diagnosed(context=replace(CONTEXT, charts=[failing]))
    assert diagnosis.charts == "Charts of this dataset with a date range stay empty."
    filters = failing.model_copy(update={"effect": "filters"})
    diagnosis = diagnosed(context=replace(CONTEXT, charts=[filters]))
    assert diagnosis.charts == "Charts of this dataset with a filter stay empty."


def test_refused_values_are_the_sources_fault_and_the_call_puts_in_the_secret_ones() -> None:
    said = "urlCheck: HTTP 401"
    context = replace(
        CONTEXT,
        failures={"urlTableDescription": said, "urlData": said},
        causes={"urlTableDescription": "denied", "urlData": "denied"},
        acting={"urlTableDescription": "you", "urlData": "you"},
    )
    [finding] = diagnosed(described=None, sample=None, context=context).findings
    assert finding.advice.startswith(
        "You: The values of source 5 are wrong or no longer valid: put in password anew."
    )
    assert "endpoint" not in finding.advice
    assert finding.call is not None
    assert finding.call["tool"] == "source_update"
    assert finding.call["arguments"] == {
        "id": 5,
        "fields": {"settings": {"password": {"secret": "source-5-password"}}},
    }

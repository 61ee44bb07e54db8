"""Every error code of the module, reached by its documented cause, in both generations and both places."""

from __future__ import annotations

import pytest

from bi_mcp.config import ErrorPlace, Generation
from tests.practice.portal.calling import a_portal, add_dataset
from tests.practice.portal.error_cases import BOTH, CASES, Case

pytestmark = pytest.mark.anyio

# Section 6 of the reference, with its "…" written out.
SECTION_6 = """
ACCESS_DENIED VALIDATION_ID_NOT_PROVIDED VALIDATION_INVALID_ID_FORMAT VALIDATION_FIELDS_NOT_PROVIDED
VALIDATION_UNKNOWN_PARAMETERS VALIDATION_REQUIRED_FIELD_MISSING VALIDATION_READ_ONLY_FIELD
VALIDATION_IMMUTABLE_FIELD VALIDATION_INVALID_FIELD_TYPE CONNECTOR_NOT_FOUND SOURCE_NOT_FOUND
DATASET_NOT_FOUND CONNECTOR_DELETE_RESTRICTED BX_ERROR VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS
VALIDATION_SETTINGS_INVALID_TYPE VALIDATION_SETTINGS_NAME_TOO_LONG VALIDATION_SETTINGS_CODE_TOO_LONG
SOURCE_CREATE_CONNECTION_ERROR SOURCE_UPDATE_CONNECTION_ERROR DATASET_ALREADY_EXIST NAME_EXISTS FIELDS_EMPTY
VALIDATION_DATASET_NAME_INVALID VALIDATION_DATASET_NAME_TOO_LONG VALIDATION_DUPLICATE_FIELD_CODE
VALIDATION_DUPLICATE_FIELD_NAME DUPLICATE_FIELDS VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS
VALIDATION_FIELD_NAME_INVALID_FORMAT VALIDATION_FIELD_NAME_TOO_LONG VALIDATION_FIELD_INVALID_TYPE
VALIDATION_DUPLICATE_EXIST_CODE VALIDATION_DUPLICATE_EXIST_NAME VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS
VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS VALIDATION_FIELD_DELETE_INVALID_ID DATASET_UPDATE_ERROR
INVALID_METHOD VALIDATION_SELECT_TYPE VALIDATION_FILTER_TYPE VALIDATION_ORDER_TYPE
VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER
VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER VALIDATION_INVALID_FILTER_LOGIC
"""
ONE_GENERATION: dict[str, Generation] = {
    "DATASET_ALREADY_EXIST": "classic",
    "DUPLICATE_FIELDS": "tables",
    "FIELDS_EMPTY": "tables",
    "NAME_EXISTS": "tables",
}
VARIANTS = [
    pytest.param(generation, case, id=f"{generation}-{case}-{number}")
    for number, case in enumerate(CASES)
    for generation in case.generations
]


def test_every_documented_code_has_a_case_in_its_generations_and_no_other_code_has() -> None:
    documented = {
        (code, generation)
        for code in SECTION_6.split()
        for generation in BOTH
        if ONE_GENERATION.get(code, generation) == generation
    }

    assert {(case.code, generation) for case in CASES for generation in case.generations} == documented


@pytest.mark.parametrize("place", ["result", "root"])
@pytest.mark.parametrize(("generation", "case"), VARIANTS)
async def test_the_cause_brings_the_code(generation: Generation, case: Case, place: ErrorPlace) -> None:
    async with a_portal(generation, errors=place) as portal:
        await add_dataset(portal.caller)
        caller = await case.prepare(portal) or portal.caller
        answer = await caller.post(f"biconnector.{case.method}", **case.parameters)

    body = answer.json()
    assert answer.status_code == 200
    assert (body if place == "root" else body["result"]["error"]) == {
        "error": case.code,
        "error_description": case.message,
    }


@pytest.mark.parametrize("direction", ["UP", "", 1, None, []])
@pytest.mark.parametrize("place", ["result", "root"])
async def test_a_wrong_direction_is_the_one_error_with_a_status_of_its_own(
    place: ErrorPlace, direction: object
) -> None:
    async with a_portal(errors=place) as portal:
        answer = await portal.caller.post("biconnector.source.list", order={"id": direction})

    assert answer.status_code == 400
    assert answer.json()["error"] == "ERROR_ARGUMENT"

"""Every code of sections 6 and 9 of the API reference has an exception type and a hint."""

from __future__ import annotations

import re

import pytest

from bi_mcp import errors
from bi_mcp.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    AuthenticationError,
    ConnectionCheckError,
    InUseError,
    LimitError,
    MethodMissingError,
    NotFoundError,
    NotSynchronisedError,
    PortalError,
    RefusedError,
)
from bi_mcp.rest.error_codes import ERROR_CODES, error_for
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Method, method
from tests.door import at_server

# As the reference writes them: `A` / `…_B` stands for A and for A with its last words replaced.
MODULE = """
ACCESS_DENIED
VALIDATION_ID_NOT_PROVIDED
VALIDATION_INVALID_ID_FORMAT
VALIDATION_FIELDS_NOT_PROVIDED
VALIDATION_UNKNOWN_PARAMETERS
VALIDATION_REQUIRED_FIELD_MISSING
VALIDATION_READ_ONLY_FIELD
VALIDATION_IMMUTABLE_FIELD
VALIDATION_INVALID_FIELD_TYPE
CONNECTOR_NOT_FOUND / SOURCE_NOT_FOUND / DATASET_NOT_FOUND
CONNECTOR_DELETE_RESTRICTED
BX_ERROR
VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS
VALIDATION_SETTINGS_INVALID_TYPE
VALIDATION_SETTINGS_NAME_TOO_LONG / …_CODE_TOO_LONG
SOURCE_CREATE_CONNECTION_ERROR / SOURCE_UPDATE_CONNECTION_ERROR
DATASET_ALREADY_EXIST
NAME_EXISTS
FIELDS_EMPTY
VALIDATION_DATASET_NAME_INVALID / …_TOO_LONG
VALIDATION_DUPLICATE_FIELD_CODE / …_NAME
DUPLICATE_FIELDS
VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS
VALIDATION_FIELD_NAME_INVALID_FORMAT / …_TOO_LONG
VALIDATION_FIELD_INVALID_TYPE
VALIDATION_DUPLICATE_EXIST_CODE / …_NAME
VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS / …_UPDATE_MISSING_REQUIRED_FIELDS
VALIDATION_FIELD_DELETE_INVALID_ID
DATASET_UPDATE_ERROR
INVALID_METHOD
VALIDATION_SELECT_TYPE / …_FILTER_TYPE / …_ORDER_TYPE
VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT / …_FILTER / …_ORDER
VALIDATION_INVALID_FILTER_LOGIC
ERROR_ARGUMENT
"""

SYSTEM = """
INTERNAL_SERVER_ERROR ERROR_UNEXPECTED_ANSWER QUERY_LIMIT_EXCEEDED OVERLOAD_LIMIT OPERATION_TIME_LIMIT
ERROR_BATCH_METHOD_NOT_ALLOWED ERROR_BATCH_LENGTH_EXCEEDED NO_AUTH_FOUND expired_token invalid_token insufficient_scope
ERROR_MANIFEST_IS_NOT_AVAILABLE INVALID_CREDENTIALS user_access_error ACCESS_DENIED INVALID_REQUEST ERROR_METHOD_NOT_FOUND PORTAL_DELETED
"""

# What an abbreviation leaves standing of the code before it.
STEMS = {
    "VALIDATION_SETTINGS_NAME_TOO_LONG": "VALIDATION_SETTINGS",
    "VALIDATION_DATASET_NAME_INVALID": "VALIDATION_DATASET_NAME",
    "VALIDATION_DUPLICATE_FIELD_CODE": "VALIDATION_DUPLICATE_FIELD",
    "VALIDATION_FIELD_NAME_INVALID_FORMAT": "VALIDATION_FIELD_NAME",
    "VALIDATION_DUPLICATE_EXIST_CODE": "VALIDATION_DUPLICATE_EXIST",
    "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS": "VALIDATION_FIELD",
    "VALIDATION_SELECT_TYPE": "VALIDATION",
    "VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT": "VALIDATION_FIELD_NOT_ALLOWED_IN",
}

TYPES = {
    "ACCESS_DENIED": AccessDeniedError,
    "expired_token": AuthenticationError,
    "NO_AUTH_FOUND": AuthenticationError,
    "insufficient_scope": AccessDeniedError,
    "CONNECTOR_NOT_FOUND": NotFoundError,
    "SOURCE_NOT_FOUND": NotFoundError,
    "DATASET_NOT_FOUND": NotFoundError,
    "CONNECTOR_DELETE_RESTRICTED": InUseError,
    "DATASET_ALREADY_EXIST": AlreadyExistsError,
    "NAME_EXISTS": AlreadyExistsError,
    "SOURCE_CREATE_CONNECTION_ERROR": ConnectionCheckError,
    "SOURCE_UPDATE_CONNECTION_ERROR": ConnectionCheckError,
    "DATASET_UPDATE_ERROR": NotSynchronisedError,
    "QUERY_LIMIT_EXCEEDED": LimitError,
    "OPERATION_TIME_LIMIT": LimitError,
    "OVERLOAD_LIMIT": LimitError,
    "ERROR_METHOD_NOT_FOUND": MethodMissingError,
    "VALIDATION_READ_ONLY_FIELD": RefusedError,
}

ADD, UPDATE, DELETE, GET = (method("dataset", name) for name in ("add", "update", "delete", "get"))


def expand(line: str) -> list[str]:
    first, *others = line.split(" / ")
    return [first, *(other.replace("…", STEMS.get(first, "")) for other in others)]


CODES = sorted({code for line in MODULE.strip().splitlines() for code in expand(line)} | set(SYSTEM.split()))


@pytest.mark.parametrize("code", CODES)
def test_a_documented_code_has_a_hint_in_plain_words(code: str) -> None:
    assert re.fullmatch(r"[A-Z_]+|[a-z_]+", code)
    hint = ERROR_CODES[code].hint
    assert len(hint.split()) >= 4
    assert hint.endswith(".")
    assert "://" not in hint


def test_no_code_is_invented() -> None:
    assert set(ERROR_CODES) == set(CODES)


@pytest.mark.parametrize(("code", "expected"), TYPES.items())
def test_a_code_becomes_its_exception(code: str, expected: type[PortalError]) -> None:
    assert type(error_for(GET, code, "text", 200)) is expected


def test_about_ten_exceptions_stand_for_all_codes() -> None:
    types = {entry.error for entry in ERROR_CODES.values()}
    declared = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PortalError)
    }
    assert types == declared - {PortalError}
    assert len(types) == 10


def test_an_error_tells_method_code_message_and_hint() -> None:
    error = error_for(GET, "DATASET_NOT_FOUND", "Dataset was not found.", 200)
    assert str(error) == (
        "biconnector.dataset.get refused. DATASET_NOT_FOUND: Dataset was not found. It does not exist, or another "
        "application created it. biconnector.dataset.list shows what this application can see."
    )
    assert (error.method, error.code, error.status) == ("biconnector.dataset.get", "DATASET_NOT_FOUND", 200)


def test_an_undocumented_code_keeps_the_portals_text() -> None:
    error = error_for(ADD, "SOMETHING_NEW", "New rule.", 400)
    assert type(error) is RefusedError
    assert (error.code, error.message, error.status) == ("SOMETHING_NEW", "New rule.", 400)
    assert "SOMETHING_NEW: New rule." in str(error)


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"])
@pytest.mark.parametrize("called", METHODS + TABLE_METHODS, ids=lambda m: m.name)
def test_after_a_failure_inside_the_portal_a_write_is_looked_up_before_it_is_sent_again(
    code: str, called: Method
) -> None:
    refused = error_for(called, code, "", 500)
    group = called.group.replace("table", "dataset")
    if called.operation in {"get", "list", "fields"}:
        assert (refused.hint, refused.advice) == ("The portal had an internal error. Try again later.", ())
    else:
        assert re.search(rf"[Ll]ook with {group}_(list|get)", at_server(refused))

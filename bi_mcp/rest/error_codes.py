"""Error codes of the portal: the meaning of each, and the advice that goes with it.

Sources: sections 6 and 9 of the API reference. A code that is not listed becomes a `RefusedError` with the portal's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.base.advice import Advice, AdviceKind, advise
from bi_mcp.base.language import say, text
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
from bi_mcp.rest.methods import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.methods import Method


@dataclass(frozen=True)
class ErrorCode:
    """The exception that represents a code, a template that says what it means, and advice if a door should word it."""

    error: type[PortalError]
    hint: str
    advice: tuple[Advice, ...] = ()


def _refusal(hint: str) -> ErrorCode:
    return ErrorCode(RefusedError, hint)


def _not_found(group: str) -> ErrorCode:
    hint = text("It does not exist, or another application created it.")
    return ErrorCode(NotFoundError, hint, (advise(AdviceKind.SEE_LIST, group=group),))


# `source.get` says this of a source whose connector is gone.
ORPHANED = "CONNECTOR_NOT_FOUND"
# The calls that name these codes may have taken effect before the portal gave up.
UNCERTAIN_CODES = frozenset({"INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"})

_FAILED_INSIDE = _refusal(text("The portal had an internal error. Try again later."))
_LISTED_NAMES = _refusal(text("Use the names that the *.fields method of this group lists."))
_NAME_TAKEN = ErrorCode(
    AlreadyExistsError,
    text(
        "Dataset names are unique across the whole portal, other applications' and BI Builder's own tables included. Choose another name."
    ),
)
_SAME_NAME = _refusal(text("Two columns of this call have the same name. Each may occur once."))

ERROR_CODES: dict[str, ErrorCode] = {
    # Access
    "ACCESS_DENIED": ErrorCode(
        AccessDeniedError,
        text(
            "The user needs the rights 'Access to BI Builder' and 'Access to Analytics Hub', and the call needs an application's "
            "access token: a webhook may call only the *.fields methods. With HTTP 403 the portal's plan may not include REST."
        ),
    ),
    "NO_AUTH_FOUND": ErrorCode(
        AuthenticationError, text("No credential reached the portal. Set BI_MCP_ACCESS_TOKEN.")
    ),
    "expired_token": ErrorCode(
        AuthenticationError, text("The access token has expired (it lives one hour). Get a new one.")
    ),
    "invalid_token": ErrorCode(
        AuthenticationError,
        text("The portal does not know this access token. Check that it belongs to this portal."),
    ),
    "INVALID_CREDENTIALS": ErrorCode(
        AccessDeniedError,
        text(
            "The webhook or the user behind it is unknown or inactive. Check it in the portal's developer section."
        ),
    ),
    "insufficient_scope": ErrorCode(
        AccessDeniedError,
        text(
            "The application lacks the scope 'biconnector'. Add it on the application's card and authorise again."
        ),
    ),
    "user_access_error": ErrorCode(
        AccessDeniedError,
        text("The application is not open to this user. An administrator can grant access."),
    ),
    # Identifiers
    "VALIDATION_ID_NOT_PROVIDED": _refusal(text("Pass the id of the object.")),
    "VALIDATION_INVALID_ID_FORMAT": _refusal(
        text("An id is a positive whole number, as the list methods return it.")
    ),
    "CONNECTOR_NOT_FOUND": _not_found("connector"),
    "SOURCE_NOT_FOUND": _not_found("source"),
    "DATASET_NOT_FOUND": _not_found("dataset"),
    # Fields
    "VALIDATION_FIELDS_NOT_PROVIDED": _refusal(text("Pass 'fields' with at least one field.")),
    "VALIDATION_UNKNOWN_PARAMETERS": _refusal(
        text(
            "This portal does not know the named fields (an older portal has no supportMapping and no sourceCode). Leave them out."
        )
    ),
    "VALIDATION_REQUIRED_FIELD_MISSING": _refusal(
        text("Add the named field; the *.fields methods say which are required.")
    ),
    "VALIDATION_READ_ONLY_FIELD": _refusal(text("Leave the named field out: the portal sets it itself.")),
    "VALIDATION_IMMUTABLE_FIELD": _refusal(
        text("The named field is set once, at creation. To change it, delete the object and create it again.")
    ),
    "VALIDATION_INVALID_FIELD_TYPE": _refusal(
        text("Send the named field with the type that the message names.")
    ),
    # Dependencies
    "CONNECTOR_DELETE_RESTRICTED": ErrorCode(
        InUseError,
        text("Sources still use this connector."),
        (advise(AdviceKind.DELETE_DEPENDENTS, group="source", filter="connectorId"),),
    ),
    "BX_ERROR": _refusal(
        text("A general error of the module: its text says what is wrong, its code does not.")
    ),
    # Connector
    "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS": _refusal(
        text("Every element of a connector's settings needs code, name and type.")
    ),
    "VALIDATION_SETTINGS_INVALID_TYPE": _refusal(
        text("A connector's setting has the type STRING or INT, in capitals.")
    ),
    "VALIDATION_SETTINGS_NAME_TOO_LONG": _refusal(text("Shorten the setting's name to 512 characters.")),
    "VALIDATION_SETTINGS_CODE_TOO_LONG": _refusal(text("Shorten the setting's code to 512 characters.")),
    # Source
    "SOURCE_CREATE_CONNECTION_ERROR": ErrorCode(
        ConnectionCheckError,
        text(
            "The portal called the connector's urlCheck and got no HTTP 200 with a body, so no source was created. "
            "Check the address and the settings' values; the portal does not call local-network addresses."
        ),
    ),
    "SOURCE_UPDATE_CONNECTION_ERROR": ErrorCode(
        ConnectionCheckError,
        text(
            "The portal called the connector's urlCheck and got no HTTP 200 with a body. "
            "Check the address and the settings' values; every update of a source makes this check."
        ),
    ),
    # Dataset
    "DATASET_ALREADY_EXIST": _NAME_TAKEN,
    "NAME_EXISTS": _NAME_TAKEN,
    "FIELDS_EMPTY": _refusal(text("A dataset needs at least one column in fields.fields.")),
    "VALIDATION_DATASET_NAME_INVALID": _refusal(
        text("A dataset's name begins with a small Latin letter and holds only a-z, 0-9 and _.")
    ),
    "VALIDATION_DATASET_NAME_TOO_LONG": _refusal(text("Shorten the dataset's name to 230 characters.")),
    "INVALID_METHOD": ErrorCode(
        RefusedError,
        text("This method changes only the description of a dataset."),
        (advise(AdviceKind.CHANGE_COLUMNS),),
    ),
    "DATASET_UPDATE_ERROR": ErrorCode(
        NotSynchronisedError,
        text(
            "The columns ARE saved; only the synchronisation with BI Builder failed and nothing was rolled back."
        ),
        (advise(AdviceKind.LOOK_AT_COLUMNS),),
    ),
    # Columns
    "VALIDATION_DUPLICATE_FIELD_CODE": _refusal(
        text("Two columns of this call have the same externalCode. Each may occur once.")
    ),
    "VALIDATION_DUPLICATE_FIELD_NAME": _SAME_NAME,
    "DUPLICATE_FIELDS": _SAME_NAME,
    "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS": _refusal(
        text("Every column needs name, externalCode and type.")
    ),
    "VALIDATION_FIELD_NAME_INVALID_FORMAT": _refusal(
        text("A column's name begins with a capital Latin letter and holds only A-Z, 0-9 and _.")
    ),
    "VALIDATION_FIELD_NAME_TOO_LONG": _refusal(text("Shorten the column's name to 32 characters.")),
    "VALIDATION_FIELD_INVALID_TYPE": _refusal(
        text(
            "A column's type is int, string, double, date or datetime, on newer portals also money or timezone, in small letters."
        )
    ),
    "VALIDATION_DUPLICATE_EXIST_CODE": ErrorCode(
        AlreadyExistsError, text("The dataset has a column with this externalCode already.")
    ),
    "VALIDATION_DUPLICATE_EXIST_NAME": ErrorCode(
        AlreadyExistsError, text("The dataset has a column with this name already.")
    ),
    "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS": _refusal(
        text("Every element of add needs name, externalCode and type.")
    ),
    "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS": _refusal(
        text("Every element of update needs id and visible.")
    ),
    "VALIDATION_FIELD_DELETE_INVALID_ID": _refusal(
        text("delete takes ids of columns, which are positive whole numbers.")
    ),
    # Lists
    "VALIDATION_SELECT_TYPE": _refusal(text("select is an array of field names.")),
    "VALIDATION_FILTER_TYPE": _refusal(text("filter is an object of conditions.")),
    "VALIDATION_ORDER_TYPE": _refusal(text('order is an object such as {{"id": "ASC"}}.')),
    "VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT": _LISTED_NAMES,
    "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER": _LISTED_NAMES,
    "VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER": _LISTED_NAMES,
    "VALIDATION_INVALID_FILTER_LOGIC": _refusal(text("logic is AND or OR.")),
    "ERROR_ARGUMENT": _refusal(text("An order direction is ASC or DESC.")),
    # Limits
    "QUERY_LIMIT_EXCEEDED": ErrorCode(
        LimitError,
        text("Too many requests in a short time; nothing happened. Wait some seconds and try again."),
    ),
    "OVERLOAD_LIMIT": ErrorCode(
        LimitError,
        text("The portal's REST API was blocked by hand for overload. Do not retry; ask Bitrix24 support."),
    ),
    "OPERATION_TIME_LIMIT": ErrorCode(
        LimitError,
        text(
            "This method used up its run time of ten minutes; nothing happened. Other methods work; try again in ten minutes."
        ),
    ),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": _refusal(text("This method is not allowed in a batch. Call it alone.")),
    "ERROR_BATCH_LENGTH_EXCEEDED": _refusal(text("A batch holds at most 50 commands.")),
    "ERROR_MANIFEST_IS_NOT_AVAILABLE": _refusal(
        text(
            "The portal misses a manifest of an application; no method of BIconnector needs one. Check that the address is the portal's own, and reinstall the application."
        )
    ),
    # System
    "INTERNAL_SERVER_ERROR": _FAILED_INSIDE,
    "ERROR_UNEXPECTED_ANSWER": _FAILED_INSIDE,
    "INVALID_REQUEST": _refusal(text("The portal accepts https only. Use an https address.")),
    "ERROR_METHOD_NOT_FOUND": ErrorCode(
        MethodMissingError,
        text(
            "This portal does not know the method: the BIconnector module is missing or older than the method."
        ),
    ),
    "PORTAL_DELETED": _refusal(text("This portal no longer exists. Check BI_MCP_PORTAL_URL.")),
}

_UNLISTED = _refusal(text("The code is not documented; the vendor's page of the method may say more."))
# A field named by a number is the place of an element in a list.
_ELEMENT = re.compile(r'Field "\d+"')
_LIST_OF_TEXTS = _refusal(
    text(
        'This portal takes lists of numbers only. Write a group with one condition for each text: {{"0": {{"logic": "OR", "0": {{"name": "a"}}, "1": {{"name": "b"}}}}}}.'
    )
)
_WITHOUT_CODE = _refusal(
    text("The portal gives no code for this; its text is all there is. Nothing happened.")
)
_UNCERTAIN = text("The portal had an internal error, and the change may have been made all the same.")
_DELETES_TABLES = text("Newer portals answer this to dataset.delete; there the table family deletes.")
_LOOK_AFTER = {Effect.CREATE: AdviceKind.LOOK_FOR_COPY, Effect.DELETE: AdviceKind.LOOK_IF_GONE}

# Codes with a meaning of their own in one method.
_IN_METHOD: Mapping[tuple[str, str], ErrorCode] = {
    # Not a NotFoundError: the source is there, and must not be taken for deleted.
    ("source.get", ORPHANED): _refusal(
        text(
            "The source is there, but its connector is gone or belongs to another application. Such a source does not work any more: delete it."
        )
    ),
    ("source.delete", "BX_ERROR"): ErrorCode(
        InUseError,
        text("Datasets still use this source."),
        (advise(AdviceKind.DELETE_DEPENDENTS, group="dataset", filter="sourceId"),),
    ),
}


def error_for(method: Method, code: str, message: str, status: int) -> PortalError:
    """Make the exception for a code that the portal answered to a method. The code is empty if the portal gave none."""
    known = _meaning(method, code, message)
    hint, advice = known.hint, known.advice
    if code in UNCERTAIN_CODES and method.effect is not Effect.READ:
        hint = _DELETES_TABLES if (method.group, method.operation) == ("dataset", "delete") else _UNCERTAIN
        advice = (look_first(method),)
    return known.error(*advice, method=method.name, code=code, message=message, hint=say(hint), status=status)


def _meaning(method: Method, code: str, message: str) -> ErrorCode:
    if not code:
        return _WITHOUT_CODE
    if code == "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER" and _ELEMENT.search(message):
        return _LIST_OF_TEXTS
    special = _IN_METHOD.get((f"{method.group}.{method.operation}", code))
    return special or ERROR_CODES.get(code, _UNLISTED)


def look_first(method: Method) -> Advice:
    """Advise how to find out whether a write took effect."""
    if method.group == "batch":
        return advise(AdviceKind.LOOK_AT_COMMANDS)
    group = "dataset" if method.group == "table" else method.group
    return advise(_LOOK_AFTER.get(method.effect, AdviceKind.LOOK_FIRST), group=group)

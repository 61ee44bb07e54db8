"""Findings of the doctor about a portal and a credential. Data."""

from __future__ import annotations

from bi_mcp.base.advice import AdviceKind
from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

ACCESS = Kind(
    "access",
    "ok",
    "nobody",
    text("The credential reads and writes connectors, sources and datasets of its application."),
    "",
    "Everything works.",
)
CREDENTIAL_REFUSED = Kind(
    "credential_refused",
    "error",
    "machine",
    text("{code}: the portal refuses the credential."),
    "",
    "Nothing else can be checked. See [the code of the portal](errors.md#codes-of-the-portal) for the repair.",
)
QUESTION_FAILED = Kind(
    "question_failed",
    "warning",
    "portal",
    "",
    "",
    "One thing could not be found out. The finding is the error itself, which says what to do.",
)
METHODS_FAILED = QUESTION_FAILED._replace(
    code="methods_failed",
    level="error",
    means="The methods of the module do not work. The finding is the error itself, which says what to do.",
)
RIGHTS_MISSING = Kind(
    "rights_missing",
    "error",
    "portal",
    text("The user may not use BI Builder on this portal."),
    text(
        "An administrator must give the user both rights: 'Access to BI Builder' and 'Access to Analytics Hub'."
    ),
)
NO_APPLICATION = Kind(
    "no_application",
    "warning",
    "machine",
    text("The credential does not belong to an application, so only the *.fields methods work."),
    text("Register a local application with the scope 'biconnector' and use its access token."),
    "It is an incoming webhook, or a token that was issued without an application.",
)
LISTS_REFUSED = Kind(
    "lists_refused",
    "error",
    "machine",
    text(
        "The *.fields methods work and the lists are refused: the credential is a webhook, or a token without an application."
    ),
    AdviceKind.LOG_IN_AS_APPLICATION,
)
PLAN_WITHOUT_REST = Kind(
    "plan_without_rest",
    "error",
    "portal",
    text("The portal's REST service refuses all calls (HTTP 403): the portal's plan does not include REST."),
    text("REST needs a commercial plan or a trial of one; ask the portal's administrator."),
)
REFUSED_BY_SYSTEM = Kind(
    "refused_by_system",
    "error",
    "portal",
    text("The portal's REST service refuses with {code}: {message}."),
    "",
    "It refuses before the module is asked. See [the code of the portal](errors.md#codes-of-the-portal) for the repair.",
)
SCOPE_MISSING = Kind(
    "scope_missing",
    "error",
    "portal",
    text("The credential lacks the scope '{scope}'."),
    text("Add the scope on the application's card and authorise again."),
)
PAYMENT_ENDED = Kind(
    "payment_ended",
    "error",
    "portal",
    text("The application's paid or trial period has ended."),
    text("Renew it in the portal's Market."),
)
NOT_INSTALLED = Kind(
    "not_installed",
    "warning",
    "portal",
    text("The application's installation is not finished, so only administrators may use it."),
    text("Finish its installation in the portal."),
)
CLOCK_BEHIND = Kind(
    "clock_behind",
    "warning",
    "machine",
    text("This machine's clock is {seconds:.0f} s behind the portal's."),
    text("Set this machine's clock by a time server: expiry times and dates are checked by it."),
    "Tokens are renewed too early or too late.",
)
CLOCK_AHEAD = CLOCK_BEHIND._replace(
    code="clock_ahead", what=text("This machine's clock is {seconds:.0f} s ahead of the portal's.")
)
FIELDS_NEW = Kind(
    "fields_new",
    "note",
    "machine",
    text("Fields that this version does not know: {names}."),
    text("Check whether a newer bi-mcp knows this portal generation."),
    "Everything works; the new fields cannot be set.",
)
FIELDS_GONE = FIELDS_NEW._replace(
    code="fields_gone",
    level="warning",
    what=text("Fields that this portal no longer has: {names}."),
    means="Calls that set one of them are refused by the portal.",
)
FIELDS_CHANGED = FIELDS_NEW._replace(
    code="fields_changed",
    level="warning",
    what=text("Fields whose rules differ from the expected ones: {names}."),
    means="The checks of bi-mcp before a call may differ from those of the portal.",
)

"""Findings about the objects on a portal that need no call of an endpoint. Data."""

from __future__ import annotations

from bi_mcp.base.advice import AdviceKind
from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

CONNECTOR_GONE = Kind(
    "connector_gone",
    "error",
    "setup",
    text("Its connector {id} does not exist, so its datasets get no data."),
    text(
        "Create the connector again, then a source and datasets on it: a source cannot change its connector."
    ),
    effect="no data",
)
SOURCE_GONE = Kind(
    "source_gone",
    "error",
    "setup",
    text("Its source {id} does not exist, so it gets no data."),
    text("Create the dataset again on another source: a dataset cannot change its source."),
    effect="no data",
)
SOURCE_OFF = Kind(
    "source_off",
    "error",
    "setup",
    text("The source is switched off: its datasets get no data."),
    text("Switch it on."),
    effect="no data",
)
SOURCE_OFF_BY_HAND = SOURCE_OFF._replace(
    code="source_off_by_hand",
    side="portal",
    fix=text("Switch it on in the portal's web interface: newer portals ignore this change over REST."),
    means="As `source_off`, on portals of the newer generation.",
)
SETTINGS_MISSING = Kind(
    "settings_missing",
    "warning",
    "setup",
    text("It has no value for parameters that the connector declares: {codes}."),
    AdviceKind.STORE_VALUES,
    "Often the connector declared them after the source was created. The endpoints get no values for them.",
)
SETTINGS_EMPTY = Kind(
    "settings_empty",
    "note",
    "setup",
    text("Parameters without a value: {codes}."),
    AdviceKind.STORE_VALUES,
    "Some connectors have parameters that may stay empty.",
)
SETTINGS_UNDECLARED = Kind(
    "settings_undeclared",
    "warning",
    "setup",
    text(
        "It no longer declares parameters that source {id} has values for: {codes}. They may no longer be sent."
    ),
    text("If its endpoints still need them, declare them again."),
    "The connector's parameters were changed after the source was created.",
)
CONNECTOR_NEWER = Kind(
    "connector_newer",
    "note",
    "setup",
    text("It was created or changed on {moment}, after the dataset (on {created})."),
    text("Check whether its addresses still lead to the table's system."),
    "The change may have broken what worked before.",
)
SOURCE_NEWER = Kind(
    "source_newer",
    "note",
    "setup",
    text("It was changed on {moment}, after the dataset was created (on {created})."),
    text("Check whether its settings still lead to the table's system."),
    "Reported only if something else is wrong: it may be the reason.",
)
NO_COLUMNS = Kind(
    "no_columns",
    "error",
    "setup",
    text("It has no columns: charts have nothing to show."),
    text("Look up the columns of the table, then add those that are wanted."),
    effect="no data",
)
ALL_HIDDEN = Kind(
    "all_hidden",
    "warning",
    "setup",
    text("All its columns are hidden: charts have nothing to show."),
    text("Show the columns that charts need."),
    effect="no data",
)
NO_BUILDER_DATASET = Kind(
    "no_builder_dataset",
    "note",
    "portal",
    text("It has no BI Builder dataset, as is usual after table.add."),
    text("If charts need one, create it by hand in BI Builder."),
)
VANISHED_MEANWHILE = Kind(
    "vanished_meanwhile",
    "note",
    "nobody",
    text("It was deleted while the portal was being read."),
    "",
)

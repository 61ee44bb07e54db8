"""The blast radius of columns that are replaced by others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.diagnostics.dataset.repair_calls import REPLACED
from bi_mcp.diagnostics.portal import blast_radius

if TYPE_CHECKING:
    from bi_mcp.diagnostics.portal.blast_radius import BlastRadius
    from bi_mcp.rest.column_replacement import ColumnReplacementPlan
    from bi_mcp.rest.datasets import Datasets


async def of_column_replacement(datasets: Datasets, plan: ColumnReplacementPlan) -> BlastRadius:
    """The columns with what changes in each, and the effect on charts."""
    radius = await blast_radius.of_column_deletion(
        datasets, plan.dataset, [column.old.id for column in plan.columns]
    )
    renamed = [column.former.name for column in plan.columns if column.former.name != column.new.name]
    consequences = [say("The columns get new ids."), say(REPLACED), say(blast_radius.UNSEEN)]
    if renamed:
        consequences.append(
            say("Charts that use {columns} stay broken: its name changes.", columns=", ".join(renamed))
        )
    return replace(
        radius,
        act=say(
            "These columns of dataset {id} {name} would be deleted and created again: {columns}.",
            id=plan.dataset,
            name=quote(radius.target.name),
            columns="; ".join(str(column) for column in plan.columns),
        ),
        consequences=consequences,
    )

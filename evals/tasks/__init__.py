"""The tasks, by theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.tasks import charts, columns, credentials, housekeeping, onboarding, portals, traps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.task import Task

_THEMES = (onboarding, columns, charts, credentials, housekeeping, portals, traps)
TASKS: Mapping[str, Task] = {task.name: task for theme in _THEMES for task in theme.TASKS}

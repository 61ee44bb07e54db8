"""Answers of the tools that work with a setup."""

from __future__ import annotations

from typing import Any

from bi_mcp.server.tools.answers import Answer, address


class SetupText(Answer):
    """A setup as YAML."""

    setup: str
    left_out: list[str]

    def headline(self) -> str:
        if not self.left_out:
            return "the whole portal as a setup file."
        return f"the portal as a setup file, except what was left out ({len(self.left_out)}): {' '.join(self.left_out)}"

    def text(self, tool: str) -> str:
        """YAML is read faster than JSON that holds it."""
        return self.text_with(tool, self.setup)


class PlannedSetup(Answer):
    """The effect of applying a setup. `token` is passed to workspace_apply."""

    summary: str
    token: str | None = None
    changes: list[dict[str, Any]]
    notes: list[str]
    obstacles: list[str]
    plan: str

    def headline(self) -> str:
        if self.obstacles:
            return f"{self.summary} It cannot be applied: {' '.join(self.obstacles)}"
        if self.token is None:
            return self.summary
        return f"{self.summary} Show the plan to the person; only if they agree call workspace_apply with token {self.token}."

    def text(self, tool: str) -> str:
        """The plan in lines, as a person reads it. Titles in it come from outside."""
        return self.text_with(tool, self.plan)


class Applied(Answer):
    """The outcome of each step."""

    complete: bool
    summary: str
    results: list[dict[str, Any]]
    notes: list[str]
    checks: list[str]

    def headline(self) -> str:
        return " ".join([self.summary, *self.checks])

    def changed_objects(self, group: str) -> list[str]:  # noqa: ARG002  an application is about objects of all groups
        """Addresses of the objects that were changed, or may have been."""
        written = [item for item in self.results if item["outcome"] in {"done", "unknown"} and item.get("id")]
        return list(dict.fromkeys(address(item["group"], item["id"]) for item in written))

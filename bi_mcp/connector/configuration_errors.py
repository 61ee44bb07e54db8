"""What is wrong in a configuration, in words for the person who wrote it."""

from __future__ import annotations

from pydantic import ValidationError

from bi_mcp.base.language import say


def word_errors(error: ValidationError) -> str:
    """Word all errors, each with its place. Values are not repeated: one may be a secret in the wrong place."""
    lines = [
        f"{_place(each['loc'])}: {_word(_kind(each['type'], each['loc']), each['msg'])}"
        for each in error.errors(include_input=False, include_url=False)
    ]
    return say(
        "Correct these in the configuration of the connector:{problems}",
        problems="".join(f"\n- {line}" for line in lines),
    )


def _kind(kind: str, steps: tuple[int | str, ...]) -> str:
    is_secret = kind == "model_type" and steps[-1] in {"password", "key"}
    return "reference_type" if is_secret else kind


def _word(kind: str, message: str) -> str:
    words = {
        "missing": say("is missing"),
        "extra_forbidden": say("is not a known key"),
        "string_pattern_mismatch": say(
            "is no name for a source: take Latin letters, digits, _, - and points, at most 64, and none of - and . at the beginning"
        ),
        "reference_type": say(
            "is never the secret itself: write {references}",
            references='{env = "…"}, {file = "…"} or {secret = "…"}',
        ),
    }
    return words.get(kind) or message.removeprefix("Value error, ")


def _place(steps: tuple[int | str, ...]) -> str:
    # Keys of maps with a pattern are followed by a mark of the library's own.
    named = [step for step in steps if step != "[key]"]
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in named).removeprefix(
        "."
    )

from __future__ import annotations


class RefusedError(Exception):
    """A request that the connector does not take; its text is the answer's sentence."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status

"""Calls a connector's four endpoints as Bitrix24 calls them, and reads what they answer. Knows nothing of a portal."""

from __future__ import annotations

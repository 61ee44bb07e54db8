"""Client of a connector's four endpoints: calls them and reads their answers as Bitrix24 does. Knows nothing of a portal."""

from __future__ import annotations

"""Named sources: a request carries the name of a source and an access key, and no credential of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.access import Served, Setting
from bi_mcp.connector.access.keys import AccessKey, find_keys
from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.query import parse_text
from bi_mcp.connector.refusal import RefusalError


class NamedAccess:
    """Access to sources by name. With one source its name may be left out.

    An unknown name and a wrong key are refused in the same words: names are nobody's business without a key.
    """

    settings: Sequence[Setting] = (Setting("source", "Source"), Setting("key", "Access key"))

    def __init__(self, sources: Mapping[str, Served], keys: Sequence[AccessKey]) -> None:
        self._sources = dict(sources)
        self._keys = tuple(keys)

    def identify(self, connection: Form) -> Served:
        name = parse_text(connection, "source").strip()
        key = parse_text(connection, "key").strip()
        if not key:
            raise RefusalError(401, "The request gives no connection[source] and connection[key].")
        if not name and len(self._sources) == 1:
            name = next(iter(self._sources))
        found = find_keys(self._keys, Secret(key))
        served = self._sources.get(name)
        if served is None or not any(one.opens(name) for one in found):
            raise RefusalError(401, "The source or the key is wrong.")
        return served

    def close(self) -> None:
        for served in self._sources.values():
            served.source.close()

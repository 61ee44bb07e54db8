"""The page for a person who opens the connector in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bi_mcp.connector.access.access import Setting
from bi_mcp.connector.service.endpoints import ENDPOINTS
from bi_mcp.connector.service.settings import ServiceSettings

_PURPOSES = {
    "urlCheck": "checks the settings of a source",
    "urlTableList": "lists the tables",
    "urlTableDescription": "lists the columns of a table",
    "urlData": "answers the rows of a table",
}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
td {{ padding: .2em 1.5em .2em 0 }}</style>
<h1>{title} for Bitrix24 BI</h1>
<p>{note}</p>
<h2>Four addresses</h2>
<p>Bitrix24 calls them with POST and a form body; a browser cannot open them.</p>
<table>{addresses}</table>
<h2>Settings</h2>
<p>Declare these parameters in the connector; every source made with it then gives their values.</p>
<table>
{settings}
</table>
</html>
"""


def build_page(origin: str, about: ServiceSettings, settings: Sequence[Setting]) -> str:
    """Write the page for a connector at `origin`, without a slash at its end."""
    addresses = "\n".join(
        f"<tr><td><code>{field}</code><td><code>{escape(origin + path)}</code><td>{_PURPOSES[field]}"
        for field, path in ENDPOINTS.items()
    )
    rows = "\n".join(
        f"<tr><td><code>{escape(setting.code)}</code><td>STRING<td>{escape(setting.name)}"
        for setting in settings
    )
    return _PAGE.format(
        title=escape(about.title), note=escape(about.note), addresses=addresses, settings=rows
    )

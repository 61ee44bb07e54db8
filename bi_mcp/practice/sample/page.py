"""The page for a person who opens the connector in a browser."""

from __future__ import annotations

from html import escape

from bi_mcp.practice.sample.endpoints import ENDPOINTS

_PURPOSES = {
    "urlCheck": "checks login and password",
    "urlTableList": "lists the tables",
    "urlTableDescription": "lists the columns of a table",
    "urlData": "answers the rows of a table",
}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sample connector</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
td {{ padding: .2em 1.5em .2em 0 }}</style>
<h1>Sample connector for Bitrix24 BI</h1>
<p>{note}</p>
<h2>Four addresses</h2>
<p>Bitrix24 calls them with POST and a form body; a browser cannot open them.</p>
<table>{addresses}</table>
<h2>Two settings</h2>
<p>Declare these parameters in the connector; every source made with it then gives their values.</p>
<table>
<tr><td><code>login</code><td>STRING<td>Login
<tr><td><code>password</code><td>STRING<td>Password
</table>
</html>
"""


def build_page(origin: str, note: str) -> str:
    """Write the page for a connector at `origin`, without a slash at its end. `note` describes the data it serves."""
    addresses = "\n".join(
        f"<tr><td><code>{field}</code><td><code>{escape(origin + path)}</code><td>{_PURPOSES[field]}"
        for field, path in ENDPOINTS.items()
    )
    return _PAGE.format(note=escape(note), addresses=addresses)

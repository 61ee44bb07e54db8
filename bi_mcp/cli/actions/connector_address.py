"""The address of a connector as somebody typed it: that of its root, by which Bitrix24 reaches it."""

from __future__ import annotations

from urllib.parse import urlsplit

import click

from bi_mcp.base.language import say
from bi_mcp.connector.service.endpoints import ENDPOINTS


def read_address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """The address without a slash at its end. Raises click.BadParameter for what four endpoints cannot stand below."""
    if url is None:
        return None
    given, url = url.strip(), url.strip().rstrip("/")
    if "://" not in given:
        raise click.BadParameter(
            say("{url} does not say how it is reached. Write https://{url}, or http:// for a trial.", url=url)
        )
    if not _is_web_address(url):
        raise click.BadParameter(say("{url} is not an address such as https://bi.example.com.", url=given))
    if "?" in url or "#" in url:
        raise click.BadParameter(
            say("The endpoints are put behind the address. Leave out what follows ? or # in it.")
        )
    for path in ENDPOINTS.values():
        if url.endswith(path):
            raise click.BadParameter(
                say(
                    "{url} is one of the four endpoints. Give the address that they have in common: {common}",
                    url=url,
                    common=url.removesuffix(path),
                )
            )
    return url


def refuse_both(url: str | None, sources: tuple[str, ...], file: object) -> None:
    """Refuse an address beside sources that are asked in this process: nothing there would be asked."""
    if url is not None and (sources or file):
        raise click.UsageError(
            say(
                "--url is for a connector that runs, and --source and --config ask within this process. Leave one of them out; the sources of the one that runs are named by --source-name."
            )
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # A port that is none is noticed when it is read.
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and not any(sign.isspace() for sign in url)
        )
    except ValueError:
        return False

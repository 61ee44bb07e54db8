"""`make texts`: collects the texts of each package into `bi_mcp/locale/ru/PACKAGE.po`, and compiles all of them into one catalogue.

What is new or changed is left without a translation, which a test then names; what is gone is dropped.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import bi_mcp
from bi_mcp.language import DOMAIN, FOLDER

SOURCE = Path(bi_mcp.__file__).parent
KEYWORDS = {"say": None, "text": None, "say_count": (1, 2)}
# What speaks in its own name: a local portal speaks as Bitrix24 does. The demo tells its story in English.
SILENT = {"portal", "sample", "locale", "demo"}
LANGUAGE = "ru"
# The same texts are the same bytes, whenever they are compiled.
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
COMPILED = FOLDER / LANGUAGE / "LC_MESSAGES" / f"{DOMAIN}.mo"


def packages() -> Iterator[str]:
    """Each package of bi_mcp, and `modules` for what lies beside them."""
    yield "modules"
    yield from sorted(
        path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists() and path.name not in SILENT
    )


def po_path(package: str) -> Path:
    return FOLDER / LANGUAGE / f"{package}.po"


def extracted(package: str) -> Catalog:
    """The texts of a package as the source has them, without translations."""
    catalogue = Catalog(locale=LANGUAGE, domain=DOMAIN, charset="utf-8")
    if package == "modules":
        for path in sorted(SOURCE.glob("*.py")):
            for _, message, comments, _ in extract_from_file("python", path, keywords=KEYWORDS):
                catalogue.add(message, None, [(path.name, 0)], user_comments=comments)
        return catalogue
    for name, _, message, comments, _ in extract_from_dir(SOURCE / package, keywords=KEYWORDS):
        catalogue.add(message, None, [(f"{package}/{name}", 0)], user_comments=comments)
    return catalogue


def written(package: str) -> Catalog:
    """The translations of a package as they are kept; empty where there are none."""
    path = po_path(package)
    if not path.exists():
        return Catalog(locale=LANGUAGE, domain=DOMAIN, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE, domain=DOMAIN)


def updated(package: str) -> Catalog:
    """The texts of the source with the translations that there are."""
    catalogue, known = extracted(package), written(package)
    for message in catalogue:
        old = known.get(message.id) if message.id else None
        if old is not None:
            message.string = old.string
    return catalogue


def compiled() -> bytes:
    """All translations as one catalogue for the program."""
    whole = Catalog(
        locale=LANGUAGE, domain=DOMAIN, charset="utf-8", creation_date=NO_DATE, revision_date=NO_DATE
    )
    for package in packages():
        for message in written(package):
            if message.id and message.string:
                whole.add(message.id, message.string)
    out = io.BytesIO()
    write_mo(out, whole)
    return out.getvalue()


def po_text(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=10_000, omit_header=True, include_lineno=False, sort_by_file=True)
    return out.getvalue()


def main() -> None:
    for package in packages():
        catalogue = updated(package)
        if len(catalogue):
            po_path(package).write_bytes(po_text(catalogue))
        else:
            po_path(package).unlink(missing_ok=True)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    COMPILED.write_bytes(compiled())


if __name__ == "__main__":
    main()

"""`make texts`: collects the texts of each package into `bi_mcp/base/locale/ru/PACKAGE.po`, and compiles all of them into one catalogue.

A text that is new or changed is left without a translation, which a test then names. The translation of a text that is gone stays as
a comment and comes back with the text; `make texts FORGET=--forget` drops these. The source is read by Python's own parser: Babel's
reader finds other texts in every version of it.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from string import Formatter

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import bi_mcp
from bi_mcp.base.language import DOMAIN, FOLDER
from bi_mcp.cli import main
from bi_mcp.cli.help_texts import templates

SOURCE = Path(bi_mcp.__file__).parent
# Texts that Click says or that stand in help: collected from what is installed, and from the commands.
BESIDE = ("click", "help")
# How many texts each of them takes.
KEYWORDS = {"say": 1, "text": 1, "say_count": 2}
KEYWORDS_OF_CLICK = {"_": 1, "ngettext": 2}
# What speaks in its own name: the practice portal speaks as Bitrix24 does. The demo tells its story in English.
OWN_NAME = tuple(SOURCE / "practice" / name for name in ("portal", "sample", "demo"))
LANGUAGE = "ru"
HEADER = (
    "Content-Type: text/plain; charset=utf-8\n"
    "Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : "
    "n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\n"
)
COMPILED = FOLDER / LANGUAGE / "LC_MESSAGES" / f"{DOMAIN}.mo"

MessageId = str | tuple[str, ...]


class Collection(Catalog):
    """Texts of this language, whose bytes do not tell when and with which Babel they were written."""

    def __init__(self) -> None:
        super().__init__(locale=LANGUAGE, domain=DOMAIN, charset="utf-8")

    def __iter__(self) -> Iterator[Message]:
        yield Message("", HEADER)
        yield from islice(super().__iter__(), 1, None)


def packages() -> Iterator[str]:
    """Each package of bi_mcp, `modules` for the modules beside them, and the words of Click and of the commands' help."""
    yield "modules"
    yield from BESIDE
    yield from sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())


def spoken_modules() -> list[Path]:
    """The modules whose texts are said in the language of the user."""
    return [path for path in sorted(SOURCE.rglob("*.py")) if not set(OWN_NAME) & set(path.parents)]


def po_path(package: str) -> Path:
    return FOLDER / LANGUAGE / f"{package}.po"


def texts_in(source: str, keywords: Mapping[str, int] = KEYWORDS) -> list[MessageId]:
    """The texts of a module in the order in which they stand there."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.func.end_lineno or 0, call.func.end_col_offset or 0))
    return [found for call in calls if (found := text_of(call, keywords)) is not None]


@cache
def texts_of_click() -> list[MessageId]:
    """What Click says, in the version that is installed. One word of it stands in a variable."""
    folder = Path(click.__file__).parent
    found = [
        texts_in(path.read_text(encoding="utf-8"), KEYWORDS_OF_CLICK) for path in sorted(folder.glob("*.py"))
    ]
    return ["required", *(text for texts in found for text in texts)]


def texts_beside(package: str) -> list[MessageId]:
    return texts_of_click() if package == "click" else list(templates(main))


def text_of(call: ast.Call, keywords: Mapping[str, int]) -> MessageId | None:
    """The text that a call says or marks; None where it says something else, or what a variable holds."""
    count = keywords.get(call.func.id, 0) if isinstance(call.func, ast.Name) else 0
    values = [argument.value for argument in call.args[:count] if isinstance(argument, ast.Constant)]
    texts = tuple(value for value in values if isinstance(value, str))
    if not texts or len(texts) < count:
        return None
    return texts[0] if count == 1 else texts


def modules(package: str) -> Iterable[Path]:
    if package == "modules":
        return sorted(SOURCE.glob("*.py"))
    return sorted((SOURCE / package).rglob("*.py"))


def extracted(package: str) -> Catalog:
    """The texts of a package as the source has them, without translations."""
    catalogue = Collection()
    if package in BESIDE:
        for text in texts_beside(package):
            catalogue.add(text, None, [(package, 0)])
        return catalogue
    for path in modules(package):
        for text in texts_in(path.read_text(encoding="utf-8")):
            catalogue.add(text, None, [(path.relative_to(SOURCE).as_posix(), 0)])
    return catalogue


def written(package: str) -> Catalog:
    """The translations of a package as they are kept; empty where there are none."""
    path = po_path(package)
    if not path.exists():
        return Collection()
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE, domain=DOMAIN)


def translations() -> dict[str, Message]:
    """Every translation that is kept, by its text: a text takes its translation along into another package."""
    kept = [written(package) for package in packages()]
    gone = [message for catalogue in kept for message in catalogue.obsolete.values()]
    used = [message for catalogue in kept for message in catalogue]
    return {first(message): message for message in [*gone, *used] if is_translated(message)}


def is_translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return bool(message.id) and any(forms)


def first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def updated_catalogues() -> dict[str, Catalog]:
    """The texts of each package with the translations that there are, and the translations of texts that no package has any more.

    A text may have moved from one package to another, so all are read before one is written.
    """
    catalogues = {package: extracted(package) for package in packages()}
    known = translations()
    in_use = {first(message) for catalogue in catalogues.values() for message in catalogue}
    for package, catalogue in catalogues.items():
        kept = written(package)
        own = {first(message): message for message in kept if is_translated(message)}
        translate(catalogue, known | own)
        for old in [*kept.obsolete.values(), *own.values()]:
            if first(old) not in in_use:
                catalogue.obsolete[first(old)] = Message(old.id, old.string)
    return catalogues


def translate(catalogue: Catalog, known: dict[str, Message]) -> None:
    for message in catalogue:
        old = known.get(first(message)) if message.id else None
        if old is not None and old.pluralizable == message.pluralizable:
            message.string = old.string


def compiled() -> bytes:
    """All translations as one catalogue for the program."""
    whole = Collection()
    for package in packages():
        for message in written(package):
            if message.id and message.string:
                whole.add(message.id, message.string)
    out = io.BytesIO()
    write_mo(out, whole)
    return out.getvalue()


def po_text(catalogue: Catalog) -> bytes:
    for message in catalogue:
        message.flags = {"python-brace-format"} if message.id and has_values(first(message)) else set()
    out = io.BytesIO()
    write_po(out, catalogue, width=10_000, omit_header=True, include_lineno=False, sort_by_file=True)
    return out.getvalue()


def has_values(template: str) -> bool:
    return any(name is not None for _, name, _, _ in Formatter().parse(template))


def collect(*, forget: bool = False) -> None:
    """Write every catalogue as the source wants it now, and compile them."""
    for package, catalogue in updated_catalogues().items():
        if forget:
            catalogue.obsolete.clear()
        if len(catalogue) or catalogue.obsolete:
            po_path(package).write_bytes(po_text(catalogue))
        else:
            po_path(package).unlink(missing_ok=True)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    COMPILED.write_bytes(compiled())


if __name__ == "__main__":
    collect(forget="--forget" in sys.argv)

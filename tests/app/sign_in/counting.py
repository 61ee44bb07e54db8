"""A process that counts up in a folder of documents. Started as a script: counting.py FOLDER TIMES."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.app.sign_in.documents import Document


def count(document: Document) -> Document:
    return {"count": document["count"] + 1}


async def main(folder: Path, times: int) -> None:
    documents = DocumentFolder(folder)
    won = 0
    for number in range(times):
        assert await documents.change("counted", count) is not None
        won += await documents.add(f"slots/{number}", {})
    sys.stdout.write(str(won))


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))

"""What the checks find is told in Russian where Russian is spoken: no sentence, nor part of one, stays English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from bi_mcp.diagnostics.finding import Finding
from bi_mcp.language import speaking
from tests.diagnostics.broken_connectors import DEFECTS, Defect
from tests.diagnostics.broken_datasets import DATASET_DEFECTS, DatasetDefect
from tests.diagnostics.test_broken_connectors import examined
from tests.diagnostics.test_broken_datasets import diagnosed

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("every defect in Russian")]

# Codes, names of fields and quotes from outside stand alone; words in a row are a sentence that was not translated.
ENGLISH = re.compile(r"\b[A-Za-z][a-z]+ [a-z]+ [a-z]+\b")
# What a service said is quoted as it said it.
SAID = re.compile(r"в ответе: «[^»]*»", re.IGNORECASE)
RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)


def english_in(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        for text in (finding.what, finding.fix):
            if text is not None and (ENGLISH.search(SAID.sub("", text)) or not RUSSIAN.search(text)):
                yield text


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.endpoint} {defect.name}")
async def test_what_is_wrong_with_a_connector(defect: Defect) -> None:
    with speaking("ru"):
        findings = await examined(defect)
    assert findings
    assert list(english_in(findings)) == []


@pytest.mark.parametrize("defect", DATASET_DEFECTS, ids=lambda defect: defect.name)
async def test_what_is_wrong_with_a_dataset(defect: DatasetDefect) -> None:
    with speaking("ru"):
        findings = (await diagnosed(defect)).findings
    assert findings
    assert list(english_in(findings)) == []

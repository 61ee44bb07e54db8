"""Findings of every defect: on the documentation's page, and in Russian where Russian is spoken, with no part of a sentence in English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from bi_mcp.base.language import speaking
from bi_mcp.diagnostics.findings.finding import Finding
from docs.making.findings import FAMILIES
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
DOCUMENTED = {kind.code for _, _, kinds in FAMILIES for kind in kinds}


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
    assert {finding.code for finding in findings} <= DOCUMENTED
    assert list(english_in(findings)) == []


@pytest.mark.parametrize("defect", DATASET_DEFECTS, ids=lambda defect: defect.name)
async def test_what_is_wrong_with_a_dataset(defect: DatasetDefect) -> None:
    with speaking("ru"):
        findings = (await diagnosed(defect)).findings
    assert findings
    assert {finding.code for finding in findings} <= DOCUMENTED
    assert list(english_in(findings)) == []

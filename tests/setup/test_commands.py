"""The commands as a person types them, on a practice portal with the sample connector."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bi_mcp.cli import main
from bi_mcp.practice import sample

SETUP = f"""\
# Ours.
version: 1
connectors:
  air:
    title: Airlines  # of the world
    logo: https://example.com/logo.png
    urlCheck: {sample.ORIGIN}{sample.ENDPOINTS["urlCheck"]}
    urlTableList: {sample.ORIGIN}{sample.ENDPOINTS["urlTableList"]}
    urlTableDescription: {sample.ORIGIN}{sample.ENDPOINTS["urlTableDescription"]}
    urlData: {sample.ORIGIN}{sample.ENDPOINTS["urlData"]}
    settings:
      - {{code: login, name: Login, type: STRING}}
      - {{code: password, name: Password, type: STRING}}
sources:
  air:
    connector: air
    title: Airlines
    settings:
      login: demo
      password: {{env: BI_MCP_SECRET_SAMPLE}}
datasets:
  flights:
    source: air
    externalCode: flights
    externalName: Flights
    columns:
      # whose flight it is
      - {{name: CARRIER, externalCode: CARRIER, type: string}}
      - {{name: DISTANCE, externalCode: DISTANCE, type: int, visible: false}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", sample.DEMO_PASSWORD)
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "configuration"))
    on_portal(monkeypatch, tmp_path, "test")
    (tmp_path / "bi.yaml").write_text(SETUP, encoding="utf-8")
    return tmp_path


def on_portal(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(folder / f"{name}.sqlite3"))


def ran(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=text)


def test_a_file_becomes_a_portal_and_the_portal_the_same_file(folder: Path) -> None:
    planned = ran("plan", "bi.yaml", "--detailed-exitcode")
    assert planned.exit_code == 2
    assert "+ create dataset flights: The portal does not have it." in planned.output
    applied = ran("apply", "bi.yaml", "--yes")
    assert applied.exit_code == 0, applied.output
    assert applied.output.endswith("4 done.\n")
    assert ran("plan", "bi.yaml", "--detailed-exitcode").exit_code == 0
    for state in (True, False):
        if not state:
            (folder / "bi.embedded.state.json").unlink()
        assert ran("export", "bi.yaml").exit_code == 0
        assert (folder / "bi.yaml").read_text(encoding="utf-8") == SETUP


def test_an_export_replaces_what_a_link_leads_to_or_leaves_it_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    real = folder / "elsewhere.yaml"
    real.write_text(SETUP.replace("title: Airlines  #", "title: Carriers  #"), encoding="utf-8")
    (folder / "bi.yaml").unlink()
    (folder / "bi.yaml").symlink_to(real)
    before = real.read_text(encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        assert (
            "bi.yaml cannot be written (No space left on device). Check that there is room"
            in ran("export", "bi.yaml").output
        )
    assert real.read_text(encoding="utf-8") == before
    assert ran("export", "bi.yaml").exit_code == 0
    assert (folder / "bi.yaml").is_symlink()
    assert real.read_text(encoding="utf-8") == SETUP


def test_no_file_and_no_output_holds_the_password(folder: Path) -> None:
    outputs = [
        ran(*command).output
        for command in (
            ("apply", "bi.yaml", "--yes"),
            ("plan", "bi.yaml", "--format", "json"),
            ("export",),
            ("export", "new.yaml"),
        )
    ]
    kept = [
        path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in {".yaml", ".json"}
    ]
    assert len(kept) == 4
    assert not any(sample.DEMO_PASSWORD in text for text in (*outputs, *kept))


@pytest.mark.usefixtures("folder")
def test_nothing_is_applied_that_nobody_saw() -> None:
    unasked = ran("apply", "bi.yaml")
    assert unasked.exit_code == 1
    checksum = unasked.output.split("--checksum ")[1].strip().rstrip(".")
    assert ran("apply", "bi.yaml", "--checksum", "0" * 16).exit_code == 1
    assert "3 to create" in ran("plan", "bi.yaml").output
    assert ran("apply", "bi.yaml", "--checksum", checksum).exit_code == 0
    again = ran("apply", "bi.yaml", "--checksum", checksum)
    assert (again.exit_code, again.output) == (0, "")


def test_a_plan_does_not_outlive_a_change_of_the_portal(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.yaml").write_text(SETUP.replace("Airlines  #", "Carriers  #"), encoding="utf-8")
    checksum = json.loads(ran("plan", "bi.yaml", "--format", "json").output)["checksum"]
    (folder / "other.yaml").write_text(
        SETUP.replace("title: Airlines\n", "title: Others\n"), encoding="utf-8"
    )
    (folder / "other.embedded.state.json").write_bytes((folder / "bi.embedded.state.json").read_bytes())
    assert ran("apply", "other.yaml", "--yes").exit_code == 0
    refused = ran("apply", "bi.yaml", "--checksum", checksum)
    assert refused.exit_code == 1
    assert "changed since this plan was made" in refused.output


def test_drift_is_told_with_who_and_when(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "other.yaml").write_text(
        SETUP.replace("title: Airlines\n", "title: Others\n"), encoding="utf-8"
    )
    (folder / "other.embedded.state.json").write_bytes((folder / "bi.embedded.state.json").read_bytes())
    assert ran("apply", "other.yaml", "--yes").exit_code == 0
    output = ran("plan", "bi.yaml").output
    assert 'title: "Others" → "Airlines"  (changed on the portal)' in output
    assert "Changed on the portal since bi-mcp last applied it by user 1 on " in output


def test_prune_deletes_what_the_file_does_not_have_and_many_only_when_it_is_said(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.yaml").write_text("version: 1\n", encoding="utf-8")
    assert "1 connector, 1 source, 1 dataset" in ran("plan", "bi.yaml").output
    pruned = ran("plan", "bi.yaml", "--prune").output
    assert [line.split()[2] for line in pruned.splitlines() if line.startswith("- delete")] == [
        "dataset",
        "source",
        "connector",
    ]
    refused = ran("apply", "bi.yaml", "--prune", "--yes", "--max-deletions", "2")
    assert refused.exit_code == 1
    assert "say so with --max-deletions 3" in refused.output
    applied = ran("apply", "bi.yaml", "--prune", "--yes")
    assert applied.exit_code == 0, applied.output
    assert "Nothing to do" in ran("plan", "bi.yaml", "--prune").output


@pytest.mark.usefixtures("folder")
def test_the_connectors_are_checked_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "wrong")
    refused = ran("apply", "bi.yaml", "--yes")
    assert refused.exit_code == 1
    assert "Nothing was sent: sources.air: urlCheck" in refused.output
    unchecked = ran("apply", "bi.yaml", "--yes", "--no-check")
    assert unchecked.exit_code == 1
    assert "SOURCE_CREATE_CONNECTION_ERROR" in unchecked.output
    assert "1 done, 1 refused, 2 skipped" in unchecked.output
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", sample.DEMO_PASSWORD)
    assert ran("apply", "bi.yaml", "--yes").output.endswith("3 done.\n")


@pytest.mark.usefixtures("folder")
def test_a_value_that_cannot_be_found_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BI_MCP_SECRET_SAMPLE")
    planned = ran("plan", "bi.yaml")
    assert planned.exit_code == 1
    assert "! sources.air: settings.password: the variable BI_MCP_SECRET_SAMPLE is not set" in planned.output
    assert ran("apply", "bi.yaml", "--yes").exit_code == 1


def test_what_is_missing_is_put_right_in_the_file_or_with_a_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BI_MCP_SECRET_SAMPLE")
    told = ran("plan", "bi.yaml").output
    assert "`bi-mcp secret set NAME --for HOST` and write {secret: NAME}" in told
    file = (folder / "bi.yaml").read_text(encoding="utf-8")
    named = file.replace("{env: BI_MCP_SECRET_SAMPLE}", "{secret: airlines}")
    (folder / "bi.yaml").write_text(named, encoding="utf-8")
    told = ran("plan", "bi.yaml").output
    assert "Store it, then try again: `bi-mcp secret set airlines --for sample.localhost`" in told
    written = file.replace("{env: BI_MCP_SECRET_SAMPLE}", "hunter2")
    (folder / "bi.yaml").write_text(written, encoding="utf-8")
    told = ran("plan", "bi.yaml").output
    assert "write {secret: NAME}" in told
    assert "write {env: BI_MCP_SECRET_PASSWORD}" in told
    assert "hunter2" not in told


def test_what_is_planned_applied_and_undone_is_told_in_russian(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    spoken = ("--language", "ru")
    planned = ran(*spoken, "plan", "bi.yaml").output
    assert "+ создать датасет flights: На портале его нет." in planned
    for form in ("text", "markdown"):
        assert not re.search(
            "create|update|delete|connector |dataset ", ran(*spoken, "plan", "--format", form).output
        )
    applied = ran(*spoken, "apply", "bi.yaml", "--yes").output
    assert "✓ создать источник" in applied
    changed = (folder / "bi.yaml").read_text(encoding="utf-8").replace("title: Airlines\n", "title: Lines\n")
    (folder / "bi.yaml").write_text(changed, encoding="utf-8")
    assert "~ изменить источник air (1)" in ran(*spoken, "plan", "bi.yaml").output
    told = ran(*spoken, "history").output
    assert "✓ выполнено" in told
    assert "датасет" in told
    assert "создать" in told
    undone = ran(*spoken, "undo", "--last", "--yes").output
    assert "датасет" in undone


def test_an_export_says_what_to_do_with_values_that_it_did_not_write(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    told = ran("export", str(folder / "new.yaml")).output
    assert "BI_MCP_SECRET_AIRLINES_PASSWORD stands for a value that was not written" in told
    assert "`bi-mcp secret set NAME --for HOST` and write {secret: NAME}" in told


def test_one_portal_becomes_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    exported = ran("export").stdout
    on_portal(monkeypatch, folder, "prod")
    monkeypatch.setenv("BI_MCP_SECRET_PROD", sample.DEMO_PASSWORD)
    mapping = ("--map-secret", "BI_MCP_SECRET_AIRLINES_PASSWORD=BI_MCP_SECRET_PROD")
    applied = ran("apply", "-", "--yes", *mapping, text=exported)
    assert applied.exit_code == 0, applied.output
    assert "Nothing to do" in ran("plan", "-", *mapping, text=exported).output
    misspelt = ran("plan", "-", "--map-url", "https://nowhere=https://somewhere", text=exported)
    assert misspelt.exit_code == 1
    assert "matches nothing" in misspelt.output


def test_an_object_is_adopted_by_its_id(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.embedded.state.json").unlink()
    (folder / "bi.yaml").write_text(SETUP.replace("Airlines  #", "Carriers  #"), encoding="utf-8")
    assert "+ create connector air" in ran("plan", "bi.yaml").output
    assert ran("adopt", "connectors.air=1").exit_code == 0
    assert "~ update connector air (1)" in ran("plan", "bi.yaml").output
    for wrong in ("connectors.air=9", "connectors.none=1", "connector.air=1", "connectors.air=x"):
        assert ran("adopt", wrong).exit_code == 1


def test_the_published_schema_accepts_the_file_and_names_what_is_wrong() -> None:
    schema = json.loads(ran("schema").output)
    Draft202012Validator.check_schema(schema)
    document = YAML(typ="safe").load(SETUP)
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    document["datasets"]["flights"]["columns"][0]["type"] = "text"
    assert [list(error.path) for error in Draft202012Validator(schema).iter_errors(document)] == [
        ["datasets", "flights", "columns", 0, "type"]
    ]


def test_markdown_of_a_plan_cannot_be_broken_by_a_title(folder: Path) -> None:
    nasty = 'title: "|<img src=x>`@team`"\n'
    (folder / "bi.yaml").write_text(SETUP.replace("title: Airlines\n", nasty), encoding="utf-8")
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.yaml").write_text("version: 1\n", encoding="utf-8")
    output = ran("plan", "bi.yaml", "--prune", "--format", "markdown").output
    assert "&#124;&lt;img src=x>&#96;&#64;team&#96;" in output
    assert "<img" not in output


def test_an_application_that_finds_nothing_to_do_remembers_what_stands_for_what(folder: Path) -> None:
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.embedded.state.json").unlink()
    assert ran("apply", "bi.yaml", "--yes").exit_code == 0
    (folder / "bi.yaml").write_text(SETUP.replace("Airlines  #", "Carriers  #"), encoding="utf-8")
    assert "~ update connector air (1)" in ran("plan", "bi.yaml").output


def test_a_pipe_through_which_nothing_came_is_not_another_file(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "bi_mcp", "apply", "--yes"],
            stdin=pipe,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert "the pipe was empty" in ended.stderr


def test_an_export_says_where_it_cannot_read_or_write(folder: Path) -> None:
    refused = ran("export", "none/bi.yaml")
    assert refused.exit_code == 1
    assert "none/bi.yaml cannot be written" in refused.output

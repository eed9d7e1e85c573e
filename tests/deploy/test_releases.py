"""The workflows are valid and request only the permissions they need, and every recipe has this tree's version."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.program import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [
    path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"
]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> None:
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_workflows_match_their_schema() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_the_issue_forms_match_their_schema() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *FORMS)


def test_the_workflows_pass_an_audit() -> None:
    run(BIN / "zizmor", "--offline", "--quiet", ".github")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text())
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_ci_runs_on_every_supported_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


@pytest.mark.parametrize("name", ["compose.yaml", "compose.replicas.yaml", "kubernetes.yaml"])
def test_a_recipe_names_the_version_of_this_tree(name: str) -> None:
    images = re.findall(r"image: (paperboy\S*)", (ROOT / "deploy" / name).read_text())
    assert images
    assert set(images) == {f"paperboy:{VERSION}"}


def test_the_changelog_has_a_date_for_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(VERSION)} – \d{{4}}-\d{{2}}-\d{{2}}$", text, re.MULTILINE), text[:200]

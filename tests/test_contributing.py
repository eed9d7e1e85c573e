"""CONTRIBUTING.md's claims: a new source takes one file, its recording, and one registry line; so does a platform."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOYS = ROOT / "tests" / "toys"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the tree that tests can change."""
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for folder in ("bot", "adapters", "tests", "deploy", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ROOT.iterdir():
        if file.is_file() and file.name not in {".env", ".git"}:
            shutil.copy(file, tmp_path)
    return tmp_path


def add_package(tree: Path) -> None:
    package = tree / "adapters" / "pigeon"
    package.mkdir()
    shutil.copy(TOYS / "pigeon.py", package / "__init__.py")


def register(tree: Path) -> None:
    registry = tree / "adapters" / "__init__.py"
    text = registry.read_text()
    line = re.compile(r"^(PLATFORMS = \(.*)\)$", re.MULTILINE)
    changed, count = line.subn(r'\1, "pigeon")', text)
    assert count == 1
    registry.write_text(changed)


def add_contract(tree: Path) -> None:
    tests = tree / "tests" / "adapters" / "pigeon"
    tests.mkdir()
    (tests / "__init__.py").touch()
    contract = (TOYS / "pigeon_contract.py").read_text().replace("tests.toys.pigeon", "adapters.pigeon")
    (tests / "contract.py").write_text(contract)


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "HOME": str(tree), "PIGEON_TOKEN": "coo"}
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def touched(tree: Path) -> set[str]:
    """Return the files that differ from this tree's, except those that Python and tests generate."""
    found = {path.relative_to(tree) for path in tree.rglob("*") if path.is_file()}
    copied = {
        path
        for path in found
        if not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }
    return {
        str(path)
        for path in copied
        if not (ROOT / path).exists() or (ROOT / path).read_bytes() != (tree / path).read_bytes()
    }


REDACT = """
from bot.app import read_settings
from bot.observability.logs import Redact
print(Redact((), read_settings().secret_patterns()).text("lost coo-abcdefghij"))
"""
RECIPES = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/deploy/test_recipes.py", "tests/test_layout.py")  # fmt: skip
"""Tests that compare the rest of the repository with the registry."""
CONTRACT = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_platform_contract.py", "-k", "pigeon")


def test_a_new_platform_is_one_package_its_contract_and_one_registry_line(copy: Path) -> None:
    add_package(copy)
    register(copy)
    add_contract(copy)
    assert touched(copy) == {
        "adapters/__init__.py",
        "adapters/pigeon/__init__.py",
        "tests/adapters/pigeon/__init__.py",
        "tests/adapters/pigeon/contract.py",
    }
    contract = run(copy, *CONTRACT)
    assert contract.returncode == 0, contract.stdout
    assert re.search(r"\b5 passed", contract.stdout), contract.stdout
    recipes = run(copy, *RECIPES)
    assert recipes.returncode == 0, recipes.stdout
    usage = run(copy, "-m", "bot", "run", "--help")
    assert "pigeon" in usage.stdout
    connected = run(copy, "-c", "from bot.app import read_settings; print(read_settings().connected)")
    assert connected.stdout == "True\n", connected.stderr
    redacted = run(copy, "-c", REDACT)
    assert redacted.stdout == "lost [redacted]\n", redacted.stderr


def test_a_registered_platform_without_a_contract_fails_the_suite(copy: Path) -> None:
    add_package(copy)
    register(copy)
    contract = run(copy, *CONTRACT)
    assert contract.returncode == 1
    assert "No module named 'tests.adapters.pigeon'" in contract.stdout


def add_source(tree: Path) -> None:
    shutil.copy(TOYS / "observatory.py", tree / "bot" / "sources" / "observatory.py")


def register_source(tree: Path) -> None:
    registry = tree / "bot" / "sources" / "__init__.py"
    text = registry.read_text()
    changed = text.replace("\n}\n", '\n    "observatory": "bot.sources.observatory",\n}\n', 1)
    assert changed != text
    registry.write_text(changed)


def add_recording(tree: Path) -> None:
    recording = (TOYS / "observatory_recording.py").read_text()
    recording = recording.replace("tests.toys.observatory", "bot.sources.observatory")
    (tree / "tests" / "sources" / "recordings" / "observatory.py").write_text(recording)


SOURCE_CONTRACT = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sources/test_contract.py", "-k", "observatory")  # fmt: skip
FOLLOWED = """
from redis.asyncio import Redis
from bot.app import read_settings
from bot.sources import build_sources
from tests.sources.context import a_context
from dataclasses import replace
world = replace(a_context("http://localhost", None, Redis()), settings=read_settings())
print("observatory" in [source.name for source in build_sources(world)])
"""


def test_a_new_source_is_one_file_its_recording_and_one_registry_line(copy: Path) -> None:
    add_source(copy)
    register_source(copy)
    add_recording(copy)
    assert touched(copy) == {
        "bot/sources/__init__.py",
        "bot/sources/observatory.py",
        "tests/sources/recordings/observatory.py",
    }
    contract = run(copy, *SOURCE_CONTRACT)
    assert contract.returncode == 0, contract.stdout
    assert re.search(r"\b1[0-9] passed", contract.stdout), contract.stdout
    (copy / ".env").write_text("PAPERBOY_OBSERVATORY_URL=https://observatory.example/\n")
    followed = run(copy, "-c", FOLLOWED)
    assert followed.stdout == "True\n", followed.stderr


def test_a_registered_source_without_a_recording_fails_the_suite(copy: Path) -> None:
    add_source(copy)
    register_source(copy)
    contract = run(copy, *SOURCE_CONTRACT)
    assert contract.returncode != 0
    assert "No module named 'tests.sources.recordings.observatory'" in contract.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("adapters/pigeon/slack.py", "from adapters.slack import build"),
        ("bot/pipeline/pigeons.py", "import adapters.pigeon"),
        ("bot/pigeons.py", "import bot.store"),
    ],
    ids=[
        "an adapter that imports another",
        "a core that imports an adapter",
        "a new module outside of the layers",
    ],
)
def test_import_contracts_cover_packages_that_are_new(copy: Path, module: str, line: str) -> None:
    add_package(copy)
    (copy / module).write_text(f"{line}\n")
    checked = run(copy, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert checked.returncode == 1, checked.stdout
    assert "BROKEN" in checked.stdout or "exhaustive" in checked.stdout, checked.stdout + checked.stderr


def searches() -> list[str]:
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where to look")[2].partition("\n## ")[0]
    return re.findall(r"`(grep [^`]+)`", section)


@pytest.mark.parametrize("search", searches())
def test_a_behaviour_is_found_in_two_files_at_most(search: str) -> None:
    _, _, pattern, *folders = shlex.split(search)
    files = [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".lua"} and re.search(pattern, path.read_text(), re.IGNORECASE)
    ]
    assert 1 <= len(files) <= 2, files

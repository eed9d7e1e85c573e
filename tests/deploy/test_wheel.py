"""The wheel, built from the same files as the image, works outside the checkout."""

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.ports import free_port
from tests.program import ROOT, environment

SOURCES = ("paperboy.py", "bot", "adapters", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Paperboy installed from its wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    build = (*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("paperboy-*.whl")
    subprocess.run((*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)), check=True)
    return folder / "site"


def surroundings(site: Path, folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment for a run with this environment's libraries, but without its editable Paperboy."""
    paths = os.pathsep.join((str(site), sysconfig.get_path("purelib")))
    return {**environment(folder, **settings), "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


def test_the_wheel_shows_the_tour(installed: Path, tmp_path: Path) -> None:
    env = surroundings(installed, tmp_path, PAPERBOY_CONSOLE_FORMAT="rich")
    program = (sys.executable, "-S", str(installed / "bin" / "paperboy"), "demo")
    ended = subprocess.run(
        program, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50
    )
    assert ended.returncode == 0, ended.stderr
    assert "matched diffusion (#1)" in ended.stdout


def test_the_wheel_does_not_use_the_checkout(installed: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-S", "-c", "import bot; print(bot.__path__[0])")
    env = surroundings(installed, tmp_path)
    where = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert where.stdout.startswith(str(installed))


@pytest.mark.parametrize("name", ["bot", "adapters"])
@pytest.mark.parametrize("shape", ["package", "module"])
def test_a_foreign_package_with_one_of_our_names_is_reported(
    installed: Path, tmp_path: Path, name: str, shape: str
) -> None:
    foreign = tmp_path / "foreign"
    place = foreign / name
    place.mkdir(parents=True)
    if shape == "package":
        (place / "__init__.py").write_text(
            '"""Adapters for transformers."""\nraise SystemExit("was imported")\n'
        )
    else:
        place.rmdir()
        (foreign / f"{name}.py").write_text('raise SystemExit("was imported")\n')
    env = surroundings(installed, tmp_path)
    env["PYTHONPATH"] = os.pathsep.join((str(foreign), env["PYTHONPATH"]))
    program = (sys.executable, "-S", str(installed / "bin" / "paperboy"), "--version")
    ended = subprocess.run(
        program, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50
    )
    assert (ended.returncode, ended.stdout) == (78, "")
    assert ended.stderr.count("\n") == 1
    assert f"under the name “{name}”" in ended.stderr


def test_overwritten_files_are_reported(installed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    (site / "adapters" / "__init__.py").write_text('"""Adapters for transformers."""\n')
    program = (sys.executable, "-S", str(site / "bin" / "paperboy"), "--version")
    ended = subprocess.run(
        program, env=surroundings(site, tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 78
    assert "under the name “adapters”" in ended.stderr


async def test_the_wheel_serves_its_pages(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    env = surroundings(installed, tmp_path, PORT=str(port))
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        "-S",
        "-m",
        "bot",
        "run",
        env=env,
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with aiohttp.ClientSession() as session:
            while bot.returncode is None:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/") as response:
                        text = await response.text()
                        break
                await asyncio.sleep(0.1)
            style = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
            async with session.get(f"http://127.0.0.1:{port}{style}") as response:
                assert response.status == 200
                assert "prefers-color-scheme" in await response.text()
        assert "A sample, until the first list is read" in text
    finally:
        bot.terminate()
        await bot.communicate()
    assert bot.returncode == 0

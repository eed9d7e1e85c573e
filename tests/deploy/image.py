"""Build the image without access to a registry: with Debian's own Python instead of the base image.

    python -m tests.deploy.image

As root on Debian or Ubuntu, with the packages buildah and debootstrap: buildah runs the steps of deploy/Dockerfile on
a base that debootstrap makes. Then the image is inspected, and the program in it started and stopped. Takes five
minutes. It doesn't test the real base image, other architectures, or Docker itself.

debootstrap uses its default mirror, or the one in DEBIAN_MIRROR. Options are passed on to buildah, such as `--volume`
to make a package index available to pip.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from tests.ports import free_port
from tests.program import ROOT

SUITE = "trixie"
"""The Debian release with the base image's version of Python."""
MIRROR = tuple(filter(None, [os.environ.get("DEBIAN_MIRROR")]))
"""Arguments for a mirror other than debootstrap's default, if any."""
BASE, NAME = "localhost/paperboy-base", "localhost/paperboy-tried"
PINNED = re.compile(r"^FROM python:(\S+)-slim@sha256:[0-9a-f]{64}", re.MULTILINE)
READY = 60.0
"""Maximum seconds until the program in the image answers."""
STORAGE = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
"""A storage driver that also works inside a container."""


def run(*words: str | Path) -> str:
    """Run a command that must succeed. Returns its output."""
    done = subprocess.run(
        tuple(map(str, words)), check=False, capture_output=True, text=True, env={**os.environ, **STORAGE}
    )
    if done.returncode:
        sys.exit(
            f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    return done.stdout.strip()


def make_base(folder: Path) -> None:
    """Make an image with Python and pip, like `python:3.13-slim`."""
    root = folder / "root"
    packages = "--include=python3,python3-pip,ca-certificates"
    run("debootstrap", "--variant=minbase", packages, SUITE, root, *MIRROR)
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    container = run("buildah", "from", "scratch")
    run("buildah", "add", "--quiet", container, root, "/")
    run("buildah", "commit", "--quiet", "--rm", container, BASE)


def build(folder: Path, target: str, name: str, *more: str) -> None:
    """Run the Dockerfile's steps unchanged except for the base; `more` are options of buildah."""
    steps, count = PINNED.subn(f"FROM {BASE}", (ROOT / "deploy" / "Dockerfile").read_text())
    assert count == 2, "the Dockerfile uses the pinned base twice"
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(steps)
    wanted = ("--target", target) if target else ()
    options = ("--pull=false", "--format", "docker", "--network", "host", *more)
    run("buildah", "bud", *options, *wanted, "--file", dockerfile, "--tag", name, ROOT)


@contextmanager
def container_of(name: str) -> Iterator[str]:
    """Create a container of an image, and remove it at the end."""
    container = run("buildah", "from", "--pull-never", name)
    try:
        yield container
    finally:
        run("buildah", "rm", container)


def look_at(name: str) -> None:
    """Check the image's metadata, and the user of its program."""
    inspected = run("buildah", "inspect", "--type", "image", name)
    assert re.search(r'"Cmd": \[\s*"run"\s*\]', inspected), "it starts the bot"
    for expected in ('"User": "10001"', '"/data"', '"StopSignal": "SIGTERM"', '"Healthcheck"', '"8080/tcp"'):
        assert expected in inspected, expected
    with container_of(name) as container:
        inside = ("buildah", "run", container, "--")
        user = run(*inside, "id", "-u")
        assert user == "10001", user
        assert run(*inside, "paperboy", "--version").startswith("paperboy ")
        assert "drwx------" in run(*inside, "ls", "-ld", "/data")
        assert run(*inside, "sh", "-c", "touch /opt/paperboy/x 2>/dev/null || echo refused") == "refused"


def start_and_stop(name: str) -> float:
    """Start the program, and check that SIGTERM stops it. Returns the seconds until it answered its health check."""
    port = free_port()
    with container_of(name) as container:
        words = (
            "buildah",
            "run",
            "--network",
            "host",
            "--env",
            f"PORT={port}",
            container,
            "--",
            "paperboy",
            "run",
        )
        began = time.monotonic()
        program = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **STORAGE},
            start_new_session=True,
        )
        try:
            while time.monotonic() - began < READY:
                try:
                    with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4) as answer:  # loopback
                        assert answer.status == 200
                        break
                except (URLError, OSError):
                    time.sleep(0.2)
            else:
                sys.exit("the program in the image doesn't answer")
            ready = time.monotonic() - began
            # Unlike Docker, buildah doesn't forward signals, so send it to the program itself.
            os.kill(_program_below(program.pid), signal.SIGTERM)
            assert program.wait(40) == 0, "it ends with 0"
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
    return ready


def _program_below(pid: int) -> int:
    """Return the process id of the program that a process of buildah started."""
    below = [pid]
    for parent in below:
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                    below.append(int(path.parent.name))
    commands = {one: Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0") for one in below}
    return next(
        one for one, words in commands.items() if words[0].startswith(b"/opt/paperboy") and b"run" in words
    )


def main() -> None:
    """Build, inspect, start, stop, and print the times."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="paperboy-image-") as temporary:
        folder = Path(temporary)
        make_base(folder)
        made = time.monotonic()
        options = sys.argv[1:]
        build(folder, "", NAME, *options)
        build(folder, "volume-of-root", f"{NAME}-volume", *options)
        built = time.monotonic()
        look_at(NAME)
        ready = start_and_stop(NAME)
    sys.stdout.write(
        f"base {made - began:.0f} s, image {built - made:.0f} s, ready after {ready:.1f} s: ok\n"
    )


if __name__ == "__main__":
    main()

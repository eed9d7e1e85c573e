"""Checks of this machine: contact address, disk, folders, port."""

import asyncio
import os
import shutil
from pathlib import Path

import aiohttp

from bot.ports import Finding

MIN_FREE_DISK = 200 * 1024 * 1024
"""Minimum free bytes: while the server compacts its append-only file, two copies exist."""
TIMEOUT = 3.0
"""Seconds to wait for an answer from this machine."""


def contact(address: str) -> Finding:
    """Check whether upstreams can contact the operator."""
    if address:
        return Finding("contact", ok=True, message=f"upstreams can write to {address}")
    return Finding(
        "contact",
        ok=True,
        message="upstreams get no contact address; arXiv asks for one",
        todo="set PAPERBOY_CONTACT to your e-mail address",
    )


def disk(folder: Path) -> Finding:
    """Check whether there is enough disk space for Paperboy's own server."""
    free = shutil.disk_usage(folder).free
    enough = free >= MIN_FREE_DISK
    todo = "" if enough else f"free some space, or set PAPERBOY_DATA_DIR to a larger disk than {folder}"
    return Finding("disk", ok=enough, message=f"{free // 2**20} MB free in {folder}", todo=todo)


def data_folder(folder: Path) -> Finding:
    """Check whether the search index can be stored: with REDIS_URL, the folder holds nothing else."""
    place = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Finding("data folder", ok=True, message=f"the search index is stored in {folder}")
    return Finding(
        "data folder",
        ok=True,
        message=f"{folder} can't be written, so the search index is in memory and is rebuilt at each start",
        todo="set PAPERBOY_DATA_DIR to a folder that this user can write to",
    )


async def port(number: int) -> Finding:
    """Check whether the port is free, or used by Paperboy."""
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), port=number)
    except PermissionError:
        todo = "set PORT to a number above 1023, and put a proxy in front"
        return Finding("port", ok=False, message=f"this user isn't allowed to listen on {number}", todo=todo)
    except OSError:
        return await _taken(number)
    server.close()
    await server.wait_closed()
    return Finding("port", ok=True, message=f"{number} is free")


async def _taken(number: int) -> Finding:
    """Check whether Paperboy listens there: it answers `ok` at /healthz."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT)) as session,
            session.get(f"http://127.0.0.1:{number}/healthz") as response,
        ):
            if response.status == 200 and await response.text() == "ok\n":
                return Finding("port", ok=True, message=f"Paperboy is already listening on {number}")
    except (aiohttp.ClientError, OSError, TimeoutError):
        pass
    todo = "stop that program, or set PORT to another number"
    return Finding("port", ok=False, message=f"another program listens on {number}", todo=todo)

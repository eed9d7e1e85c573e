"""What can be wrong with this machine."""

import asyncio
import os
import shutil
from pathlib import Path

import aiohttp

from bot.ports import Finding

LEAST_DISK = 200 * 1024 * 1024
"""Bytes; the append-only file is written anew beside the old one."""
PATIENCE = 3.0


def contact(address: str) -> Finding:
    """Whether upstreams can reach the operator."""
    if address:
        return Finding("contact", ok=True, message=f"upstreams are told {address}")
    return Finding(
        "contact",
        ok=True,
        message="upstreams are told no address; arXiv asks for one",
        todo="set PAPERBOY_CONTACT to your e-mail address",
    )


def disk(folder: Path) -> Finding:
    """Whether there is room for Paperboy's own server."""
    free = shutil.disk_usage(folder).free
    enough = free >= LEAST_DISK
    todo = "" if enough else f"free some space, or set PAPERBOY_DATA_DIR to a larger disk than {folder}"
    return Finding("disk", ok=enough, message=f"{free // 2**20} MB free in {folder}", todo=todo)


def data_folder(folder: Path) -> Finding:
    """Whether the search index can be kept: without Paperboy's own server nothing else is."""
    place = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Finding("data folder", ok=True, message=f"the search index is kept in {folder}")
    return Finding(
        "data folder",
        ok=True,
        message=f"{folder} can't be written: the search index is kept in memory, and built anew at each start",
        todo="set PAPERBOY_DATA_DIR to a folder of this user",
    )


async def port(number: int) -> Finding:
    """Whether the port is free, or Paperboy's already."""
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), port=number)
    except PermissionError:
        todo = "set PORT to one above 1023, with a proxy before it"
        return Finding("port", ok=False, message=f"this user may not listen on {number}", todo=todo)
    except OSError:
        return await _taken(number)
    server.close()
    await server.wait_closed()
    return Finding("port", ok=True, message=f"{number} is free")


async def _taken(number: int) -> Finding:
    """Who listens there: Paperboy answers `ok` at /healthz."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session,
            session.get(f"http://127.0.0.1:{number}/healthz") as response,
        ):
            if response.status == 200 and await response.text() == "ok\n":
                return Finding("port", ok=True, message=f"a Paperboy listens on {number}")
    except (aiohttp.ClientError, OSError, TimeoutError):
        pass
    todo = "end that program, or set PORT to another number"
    return Finding("port", ok=False, message=f"another program listens on {number}", todo=todo)

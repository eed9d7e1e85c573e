"""The command line.

Commands import their modules when they run, so that `--help` and errors about mistyped commands appear at once.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from adapters import PLATFORMS
from bot.cli import data
from bot.cli.process import EX_CONFIG, EX_UNAVAILABLE, command_settings, run_with_spinner
from bot.domain.errors import ConfigurationError, PaperboyError

if TYPE_CHECKING:
    from bot.observability.progress import Say
    from bot.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

LEVELS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}

ROLES_HELP = (
    f"What this process does: poller, fanout, delivery, web, {', '.join(PLATFORMS)}. Without a role it does "
    "everything that is configured. "
    "Every role can run in several processes that share one REDIS_URL."
)


@app.command()
def run(
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...", help=ROLES_HELP)] = None,
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Run the commands on standard input, read every source once, post what is due, and exit: for cron. "
            "Exit code 69 if no source could be read.",
        ),
    ] = False,
) -> None:
    """Start the bot. Until Slack or Discord is connected, it runs in this terminal.

    Without REDIS_URL it stores its data in ./paperboy-data (PAPERBOY_DATA_DIR).
    """
    from bot import supervisor
    from bot.app import choose_roles

    settings = command_settings(roles)
    chosen = choose_roles(roles or [])
    if once:
        reached = asyncio.run(supervisor.once(settings, chosen))
        raise typer.Exit(0 if reached else EX_UNAVAILABLE)
    asyncio.run(supervisor.run(settings, chosen))


@app.command()
def demo() -> None:
    """Show a two-minute tour with sample papers, offline. Nothing is stored."""
    from bot import supervisor

    asyncio.run(supervisor.tour(command_settings()))


@app.command()
def mcp(
    *,
    token: Annotated[
        str,
        typer.Option(
            envvar="CHANNEL_TOKEN",
            help="A channel's token, from /paper api new: then its posts and subscriptions can be read too.",
        ),
    ] = "",
) -> None:
    """Serve search to an AI assistant (MCP).

    It speaks the Model Context Protocol on standard input and output, and needs the extra `mcp`: pip install 'paperboy[mcp]'.
    """
    settings = command_settings(quiet=True)
    try:
        from bot.cli import mcp_server
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "The library for `paperboy mcp` isn't there. Install it with: pip install 'paperboy[mcp]'"
        ) from error
    asyncio.run(mcp_server.serve(settings, token))


@app.command()
def doctor(
    platforms: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLATFORM]...", help="Check only these platforms, such as slack."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check settings, Redis, sources and platforms.

    It says what to do about each problem. Exit code 1 if something is wrong.
    """
    from bot.cli.doctor import check_names
    from bot.observability.progress import working

    settings = command_settings(platforms, quiet=True)
    check_names(platforms or (), PLATFORMS)
    with working("Checking") as say:
        all_ok = asyncio.run(_examine(settings, platforms or (), None if as_json else say))
    raise typer.Exit(0 if all_ok else 1)


@app.command()
def status(
    *,
    keep_watching: Annotated[bool, typer.Option("--watch", help="Refresh it every two seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show sources, waiting posts, pauses and failures."""
    from contextlib import suppress

    from rich.console import Console

    from bot.cli import status as status_view

    settings = command_settings(quiet=True)
    if keep_watching:
        with suppress(KeyboardInterrupt):
            asyncio.run(status_view.watch(settings, Console()))
        return
    current = run_with_spinner("Reading the status", status_view.status(settings))
    if as_json:
        typer.echo(json.dumps(current.as_json(), ensure_ascii=False, indent=2))
    else:
        Console().print(status_view.rendered(current))


app.add_typer(data.commands)


async def _examine(settings: "Settings", platforms: Sequence[str], say: "Say | None") -> bool:
    """Print the findings with `say` as they come, or as JSON if it is None. Return whether nothing failed."""
    from bot.cli.doctor import examine
    from bot.observability import logs

    redact = logs.Redact(settings.secrets(), settings.secret_patterns())
    findings: list[dict[str, str]] = []
    async for finding in examine(settings, platforms):
        message, todo = redact.text(finding.message), redact.text(finding.todo)
        findings.append({"name": finding.name, "level": finding.level, "message": message, "todo": todo})
        if say is not None:
            say(f"{LEVELS[finding.level]}  {finding.name}: {message}")
            if todo:
                say(f"      {todo}")
    if say is None:
        typer.echo(json.dumps(findings, ensure_ascii=False, indent=2))
    return all(finding["level"] != "fail" for finding in findings)


def _print_version(wanted: bool) -> None:  # called by typer
    if wanted:
        typer.echo(f"paperboy {version('paperboy')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[  # its callback does the work
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Post new research papers to the Slack and Discord channels, inboxes and terminals that asked for them."""


def main() -> None:
    """Run the command line. Expected errors print one readable line; configuration errors exit with code 78."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"paperboy: {error}\n")
        sys.exit(EX_CONFIG)
    except PaperboyError as error:
        sys.stderr.write(f"paperboy: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

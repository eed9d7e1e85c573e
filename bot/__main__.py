"""The command line."""

import asyncio
import sys
from importlib import import_module
from typing import Annotated

import typer

from bot import logs, running
from bot.app import ROLES, choose_roles
from bot.doctor import examine
from bot.errors import ConfigurationError
from bot.settings import Settings

EX_CONFIG = 78
"""sysexits.h: the configuration is wrong. Supervisors should not restart on it."""
EX_UNAVAILABLE = 69
"""sysexits.h: nothing outside could be reached."""

app = typer.Typer(
    help="Paperboy tells Slack and Discord channels, and this terminal, about the new papers they care about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ROLES_HELP = (
    f"What this process does: {', '.join(ROLES)}. With none named, all that is configured. "
    "Any role may run in several processes on one REDIS_URL."
)


@app.command()
def run(
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...", help=ROLES_HELP)] = None,
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Carry out the commands on standard input, poll every source once, deliver all that is due, "
            "and end: for cron. Exit code 69 where no source could be read.",
        ),
    ] = False,
) -> None:
    """Start the bot: in the terminal, until Slack or Discord is connected.

    Without REDIS_URL it keeps its own database in ./paperboy-data (PAPERBOY_DATA_DIR).
    """
    settings = _settings(roles)
    chosen = choose_roles(roles or [])
    if once:
        reached = asyncio.run(running.once(settings, chosen))
        raise typer.Exit(0 if reached else EX_UNAVAILABLE)
    asyncio.run(running.run(settings, chosen))


@app.command()
def demo() -> None:
    """A two-minute tour with bundled sample papers: offline, and nothing is kept."""
    asyncio.run(running.tour(_settings()))


@app.command()
def doctor() -> None:
    """Check everything between here and the first post, and say what to do."""
    raise typer.Exit(0 if asyncio.run(_examined(_settings())) else 1)


async def _examined(settings: Settings) -> bool:
    healthy = True
    async for finding in examine(settings):
        healthy = healthy and finding.ok
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.message}")
        if finding.todo:
            typer.echo(f"      {finding.todo}")
    return healthy


def _settings(roles: list[str] | None = None) -> Settings:
    settings = Settings.read()
    alone = sys.stdin.isatty() and sys.stderr.isatty() and not (settings.connected or roles)
    logs.configure(
        settings.log_format, settings.log_level or ("error" if alone else "info"), settings.secrets()
    )
    if settings.sentry_dsn is not None:
        import_module("bot.sentry").start(settings.sentry_dsn.get_secret_value(), settings.secrets())
    return settings


def main() -> None:
    """Run the command line; a configuration that can't work ends in one readable line and exit code 78."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"paperboy: {error}\n")
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    main()

"""The command line."""

import asyncio
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from bot import supervisor
from bot.app import ROLES, choose_roles, read_settings
from bot.cli import backfill as backfilling
from bot.cli import maintenance
from bot.cli.doctor import examine
from bot.domain.errors import ConfigurationError, PaperboyError
from bot.domain.models import ChannelRef
from bot.observability import logs
from bot.settings import Settings
from bot.store.backup.export_records import BadLine

EX_CONFIG = 78
"""sysexits.h: the configuration is wrong. Supervisors should not restart on it."""
EX_UNAVAILABLE = 69
"""sysexits.h: nothing outside could be reached."""
EX_DATAERR = 65
"""sysexits.h: the input was incorrect."""

app = typer.Typer(
    help="Paperboy tells Slack and Discord channels, and this terminal, about the new papers they care about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

deliveries = typer.Typer(
    help="Posts that were set aside, for a person to decide about.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(deliveries, name="deliveries")

ROLES_HELP = (
    f"What this process does: {', '.join(ROLES)}. With none named, all that is configured. "
    "Any role may run in several processes on one REDIS_URL."
)


def _channel(text: str) -> ChannelRef:
    try:
        return ChannelRef.parse(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no channel; one is slack:T024BE7LD:C061EG9SL") from None


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
        reached = asyncio.run(supervisor.once(settings, chosen))
        raise typer.Exit(0 if reached else EX_UNAVAILABLE)
    asyncio.run(supervisor.run(settings, chosen))


@app.command()
def demo() -> None:
    """A two-minute tour with bundled sample papers: offline, and nothing is kept."""
    asyncio.run(supervisor.tour(_settings()))


@app.command()
def doctor(
    platforms: Annotated[
        list[str] | None, typer.Argument(metavar="[PLATFORM]...", help="Look only at these, such as slack.")
    ] = None,
) -> None:
    """Check everything between here and the first post, and say what to do. Exit code 1 where something is wrong."""
    raise typer.Exit(0 if asyncio.run(_examined(_settings(platforms), platforms or ())) else 1)


Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="As `paperboy deliveries list` names it.")]


@deliveries.command("list")
def list_deliveries() -> None:
    """Show the posts that were set aside, the oldest first: state, since when, key, why."""
    stuck = asyncio.run(maintenance.dead_letters(_settings()))
    for one in stuck:
        typer.echo(f"{one.state}  {one.since:%Y-%m-%d %H:%M}  {one.key}\n      {one.why}")
    if not stuck:
        typer.echo("Nothing is set aside.")


@deliveries.command("retry")
def retry_deliveries(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="As `paperboy deliveries list` names it.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are set aside.")] = False,
) -> None:
    """Try them once more. One that is `dead` is asked about first, one that is `held` is posted."""
    if bool(keys) == everything:
        raise typer.BadParameter("name the posts to retry, or say --all")
    _decided("Retried", keys, asyncio.run(maintenance.retry(_settings(), keys)))


@deliveries.command("drop")
def drop_deliveries(keys: Keys) -> None:
    """Give them up: they are not posted, and a source that lists their papers again does not bring them back."""
    _decided("Dropped", keys, asyncio.run(maintenance.drop(_settings(), keys)))


def _decided(what: str, asked: list[str] | None, done: list[str]) -> None:
    for key in done:
        typer.echo(f"{what}: {key}")
    if missing := sorted(set(asked or ()) - set(done)):
        typer.echo(f"Not set aside: {', '.join(missing)}. paperboy deliveries list shows what is.", err=True)
        raise typer.Exit(1)


@app.command()
def export(
    channel: Annotated[
        ChannelRef | None,
        typer.Option(
            parser=_channel, metavar="CHANNEL", help="Only this one, as platform:workspace:channel."
        ),
    ] = None,
) -> None:
    """Write all that is kept to standard output, as lines of JSON; the bot may go on meanwhile."""

    async def write() -> None:
        async for line in maintenance.export(_settings(), channel):
            sys.stdout.write(f"{line}\n")

    asyncio.run(write())


@app.command("import")
def import_(
    to: Annotated[
        ChannelRef | None,
        typer.Option(
            parser=_channel,
            metavar="CHANNEL",
            help="Give this channel what the exported one had; it may be elsewhere.",
        ),
    ] = None,
) -> None:
    """Read lines of `paperboy export` from standard input. What is there already stays as it is.

    Exit code 65 where a line can't be read.
    """
    try:
        typer.echo(asyncio.run(maintenance.restore(_settings(), sys.stdin, to)))
    except BadLine as error:
        typer.echo(f"paperboy: {error}", err=True)
        raise typer.Exit(EX_DATAERR) from None


@app.command()
def backfill(
    *,
    days: Annotated[
        int | None,
        typer.Option(
            min=1, max=3650, help="From the upstreams, so many days back; of a file, papers no older."
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Lines of JSON, also packed (.gz) or - for standard input: arXiv's public metadata, or papers with "
            "id, title, abstract, authors and published.",
        ),
    ] = None,
) -> None:
    """Fill the search index with papers of days gone by. Nothing is posted; whatever is listed later is still new.

    Each paper takes about 2 kB of Redis. It can be stopped and repeated. Exit code 69 where a day could not be read.
    """
    if days is None and file is None:
        raise typer.BadParameter("say how many --days, or --from which file")
    filled = asyncio.run(backfilling.backfill(_settings(), days, file))
    typer.echo(f"{filled}.")
    for problem in filled.broken:
        typer.echo(f"      {problem}", err=True)
    raise typer.Exit(EX_UNAVAILABLE if filled.broken and file is None else 0)


async def _examined(settings: Settings, platforms: Sequence[str]) -> bool:
    healthy, redact = True, logs.Redact(settings.secrets(), settings.secret_patterns())
    async for finding in examine(settings, platforms):
        healthy = healthy and finding.ok
        typer.echo(redact.text(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.message}"))
        if finding.todo:
            typer.echo(redact.text(f"      {finding.todo}"))
    return healthy


def _settings(roles: list[str] | None = None) -> Settings:
    settings = read_settings()
    alone = sys.stdin.isatty() and sys.stderr.isatty() and not (settings.connected or roles)
    logs.configure(
        settings.log_format,
        settings.log_level or ("error" if alone else "info"),
        settings.secrets(),
        settings.secret_patterns(),
    )
    if settings.sentry_dsn is not None:
        import_module("bot.observability.sentry").start(
            settings.sentry_dsn.get_secret_value(), settings.secrets(), settings.secret_patterns()
        )
    return settings


def main() -> None:
    """Run the command line; what is no bug ends in one readable line: of the configuration with exit code 78."""
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

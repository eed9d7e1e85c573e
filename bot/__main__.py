"""The command line.

A command imports what it needs when it runs, so that `--help` and a mistyped command are answered at once.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters import PLATFORMS
from bot.domain.errors import ConfigurationError, PaperboyError
from bot.domain.models import ChannelRef

if TYPE_CHECKING:
    from bot.settings import Settings

EX_CONFIG = 78
"""sysexits.h: the configuration is wrong. Supervisors should not restart the program."""
EX_UNAVAILABLE = 69
"""sysexits.h: a service that we need could not be reached."""
EX_DATAERR = 65
"""sysexits.h: the input was incorrect."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

deliveries = typer.Typer(
    help="Retry or drop posts that failed or are uncertain.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(deliveries, name="deliveries")

LEVELS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}

ROLES_HELP = (
    f"What this process does: poller, fanout, delivery, web, {', '.join(PLATFORMS)}. Without a role it does "
    "everything that is configured. "
    "Every role can run in several processes that share one REDIS_URL."
)


def _channel(text: str) -> ChannelRef:
    try:
        return ChannelRef.parse(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} isn't a channel. Write it like slack:T024BE7LD:C061EG9SL."
        ) from None


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

    settings = _settings(roles)
    chosen = choose_roles(roles or [])
    if once:
        reached = asyncio.run(supervisor.once(settings, chosen))
        raise typer.Exit(0 if reached else EX_UNAVAILABLE)
    asyncio.run(supervisor.run(settings, chosen))


@app.command()
def demo() -> None:
    """Show a two-minute tour with sample papers, offline. Nothing is stored."""
    from bot import supervisor

    asyncio.run(supervisor.tour(_settings()))


@app.command()
def mcp(
    *,
    token: Annotated[
        str,
        typer.Option(
            envvar="CHANNEL_TOKEN",
            help="A channel's token, from /paper api new: then its posts and subscriptions can be read, too.",
        ),
    ] = "",
) -> None:
    """Let an assistant look for papers: serve the Model Context Protocol on standard input and output.

    It needs the extra `mcp`: pip install 'paperboy[mcp]'.
    """
    settings = _settings(quiet=True)
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
    settings = _settings(platforms, quiet=True)
    raise typer.Exit(0 if asyncio.run(_examined(settings, platforms or (), as_json=as_json)) else 1)


@app.command()
def status(
    *,
    keep_watching: Annotated[bool, typer.Option("--watch", help="Renew it every two seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show sources, waiting posts, pauses and failures."""
    from contextlib import suppress

    from rich.console import Console

    from bot.cli import status as looking

    settings = _settings(quiet=True)
    if keep_watching:
        with suppress(KeyboardInterrupt):
            asyncio.run(looking.watch(settings, Console()))
        return
    found = asyncio.run(looking.status(settings))
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        Console().print(looking.rendered(found))


Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="As `paperboy deliveries list` names it.")]


@deliveries.command("list")
def list_deliveries() -> None:
    """List them, the oldest first: state, since when, key, reason."""
    from bot.cli import maintenance

    stuck = asyncio.run(maintenance.dead_letters(_settings()))
    for one in stuck:
        typer.echo(f"{one.state}  {one.since:%Y-%m-%d %H:%M}  {one.key}\n      {one.why}")
    if not stuck:
        typer.echo("No posts need a decision.")


@deliveries.command("retry")
def retry_deliveries(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="As `paperboy deliveries list` names it.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry all of them.")] = False,
) -> None:
    """Retry posts. For a `dead` one the platform is asked first whether it was posted; a `held` one is posted."""
    from bot.cli import maintenance

    if bool(keys) == everything:
        raise typer.BadParameter("name the posts to retry, or use --all")
    _decided("Retried", keys, asyncio.run(maintenance.retry(_settings(), keys)))


@deliveries.command("drop")
def drop_deliveries(keys: Keys) -> None:
    """Drop posts: they are never posted, even if a source lists their papers again."""
    from bot.cli import maintenance

    _decided("Dropped", keys, asyncio.run(maintenance.drop(_settings(), keys)))


def _decided(what: str, asked: list[str] | None, done: list[str]) -> None:
    for key in done:
        typer.echo(f"{what}: {key}")
    if missing := sorted(set(asked or ()) - set(done)):
        typer.echo(f"Not found: {', '.join(missing)}. `paperboy deliveries list` shows their keys.", err=True)
        raise typer.Exit(1)


@app.command()
def export(
    channel: Annotated[
        ChannelRef | None,
        typer.Option(
            parser=_channel, metavar="CHANNEL", help="Only this one, as platform:workspace:channel."
        ),
    ] = None,
    *,
    about_to_post: Annotated[
        bool,
        typer.Option(
            "--about-to-post",
            help="For a copy that is made before posting: the process that imports it first asks the platforms "
            "whether the posts that wait now were made.",
        ),
    ] = False,
) -> None:
    """Write all data to standard output as lines of JSON. The bot may keep running."""
    from bot.cli import maintenance

    async def write() -> None:
        async for line in maintenance.export(_settings(), channel, about_to_post=about_to_post):
            sys.stdout.write(f"{line}\n")

    asyncio.run(write())


@app.command("export-papers")
def export_papers(
    wanted: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="bibtex, ris, csl (JSON) or md.")
    ] = "bibtex",
) -> None:
    """Write all stored papers to standard output, for a reference manager or LaTeX."""
    from bot.cli import maintenance

    if wanted not in {"bibtex", "ris", "csl", "md"}:
        raise typer.BadParameter("--format is bibtex, ris, csl or md")

    async def write() -> None:
        async for piece in maintenance.export_papers(_settings(quiet=True), wanted):
            sys.stdout.write(piece)

    asyncio.run(write())


@app.command("import")
def import_(
    to: Annotated[
        ChannelRef | None,
        typer.Option(
            parser=_channel,
            metavar="CHANNEL",
            help="Import into this channel instead, also on another platform.",
        ),
    ] = None,
) -> None:
    """Import lines of `paperboy export` from standard input. Existing data stays as it is.

    Exit code 65 if a line can't be read.
    """
    from bot.cli import maintenance
    from bot.store.backup.export_records import BadLine

    try:
        typer.echo(asyncio.run(maintenance.restore(_settings(), sys.stdin, to)))
    except BadLine as error:
        typer.echo(f"paperboy: {error}", err=True)
        raise typer.Exit(EX_DATAERR) from None


@app.command()
def forget(
    whom: Annotated[
        str,
        typer.Argument(
            metavar="WHOM",
            help="A channel (slack:T024BE7LD:C061EG9SL), a workspace or server (slack:T024BE7LD), or with --person a "
            "person (slack:U012AB3CD).",
        ),
    ],
    *,
    person: Annotated[bool, typer.Option("--person", help="WHOM is a person.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask first.")] = False,
) -> None:
    """Delete all data of a channel, workspace or person.

    The bot may keep running.

    This can't be undone: make an export first if you aren't sure.
    """
    from bot.cli import maintenance

    if not yes:
        typer.confirm(f"Delete everything about {whom}? This can't be undone.", abort=True)
    try:
        typer.echo(f"Deleted: {asyncio.run(maintenance.forget(_settings(), whom, person=person))}.")
    except ValueError:
        raise typer.BadParameter(
            f"{whom!r} is no {'person' if person else 'channel or workspace'}. See `paperboy forget --help`."
        ) from None


@app.command()
def subscribe(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Lines such as: slack:T024BE7LD:C061EG9SL diffusion every:daily"),
    ],
) -> None:
    """Set the subscriptions of channels from a file.

    Each channel that the file names gets exactly the subscriptions that it lists.
    """
    from bot.cli import maintenance
    from bot.domain.errors import UserError

    try:
        lines = file.read_text("utf-8").splitlines()
        typer.echo(asyncio.run(maintenance.set_subscriptions(_settings(), lines)))
    except (OSError, UnicodeDecodeError, UserError) as error:
        typer.echo(f"paperboy: {file}: {error}", err=True)
        raise typer.Exit(EX_DATAERR) from None


@app.command()
def backfill(
    *,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="How many days back to read; from a file, skip older papers."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="A file with lines of JSON (.gz too, - for standard input): arXiv's public metadata, or papers with "
            "id, title, abstract, authors and published.",
        ),
    ] = None,
) -> None:
    """Add past papers to the search index. Nothing is posted.

    Each paper takes about 2 kB of Redis. You can stop and repeat it. Exit code 69 if a day could not be read.
    """
    from bot.cli.backfill import backfill as fill

    if days is None and file is None:
        raise typer.BadParameter("use --days, or --from with a file")
    filled = asyncio.run(fill(_settings(), days, file))
    typer.echo(f"{filled}.")
    for problem in filled.broken:
        typer.echo(f"      {problem}", err=True)
    raise typer.Exit(EX_UNAVAILABLE if filled.broken and file is None else 0)


async def _examined(settings: "Settings", platforms: Sequence[str], *, as_json: bool) -> bool:
    from bot.cli.doctor import examine
    from bot.observability import logs

    redact = logs.Redact(settings.secrets(), settings.secret_patterns())
    findings: list[dict[str, str]] = []
    async for finding in examine(settings, platforms):
        message, todo = redact.text(finding.message), redact.text(finding.todo)
        findings.append({"name": finding.name, "level": finding.level, "message": message, "todo": todo})
        if not as_json:
            typer.echo(f"{LEVELS[finding.level]}  {finding.name}: {message}")
            if todo:
                typer.echo(f"      {todo}")
    if as_json:
        typer.echo(json.dumps(findings, ensure_ascii=False, indent=2))
    return all(finding["level"] != "fail" for finding in findings)


def _settings(roles: list[str] | None = None, *, quiet: bool = False) -> "Settings":
    """The settings, with logging set up; `quiet` leaves out log lines that would stand between a command's output."""
    from bot.app import read_settings
    from bot.observability import logs

    settings = read_settings()
    alone = sys.stdin.isatty() and sys.stderr.isatty() and not (settings.connected or roles)
    level = "critical" if quiet else "error" if alone else "info"
    logs.configure(
        settings.log_format,
        settings.log_level or level,
        settings.secrets(),
        settings.secret_patterns(),
    )
    if settings.sentry_dsn is not None:
        _report_errors(settings.sentry_dsn.get_secret_value(), settings)
    return settings


def _report_errors(dsn: str, settings: "Settings") -> None:
    try:
        from bot.observability import sentry
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "PAPERBOY_SENTRY_DSN is set, but the library isn't there. Install it with: pip install 'paperboy[sentry]'"
        ) from error
    sentry.start(dsn, settings.secrets(), settings.secret_patterns())


def _print_version(wanted: bool) -> None:  # typer calls it so
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
    """Run the command line. Expected errors end in one readable line; a wrong configuration with exit code 78."""
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

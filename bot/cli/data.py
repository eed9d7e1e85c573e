"""The operator's commands for stored data. The bot can run at the same time."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.process import EX_DATAERR, EX_UNAVAILABLE, command_settings, run_with_spinner
from bot.domain.models import ChannelRef

commands = typer.Typer(rich_markup_mode=None)

deliveries = typer.Typer(
    help="Retry or drop posts that failed or are uncertain.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
commands.add_typer(deliveries, name="deliveries")


def _channel(text: str) -> ChannelRef:
    try:
        return ChannelRef.parse(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} isn't a channel. Write it like slack:T024BE7LD:C061EG9SL."
        ) from None


Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="The key in `paperboy deliveries list`.")]


@deliveries.command("list")
def list_deliveries() -> None:
    """List them, the oldest first: state, time, key, reason."""
    from bot.cli import maintenance

    letters = run_with_spinner("Looking for posts", maintenance.dead_letters(command_settings()))
    for letter in letters:
        typer.echo(f"{letter.state}  {letter.since:%Y-%m-%d %H:%M}  {letter.key}\n      {letter.why}")
    if not letters:
        typer.echo("No posts need a decision.")


@deliveries.command("retry")
def retry_deliveries(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="The key in `paperboy deliveries list`.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry all of them.")] = False,
) -> None:
    """Retry posts. A `dead` one is looked up on the platform first; a `held` one is posted."""
    from bot.cli import maintenance

    if bool(keys) == everything:
        raise typer.BadParameter("name the posts to retry, or use --all")
    _print_done("Retried", keys, run_with_spinner("Retrying", maintenance.retry(command_settings(), keys)))


@deliveries.command("drop")
def drop_deliveries(keys: Keys) -> None:
    """Drop posts: they are never posted, even if a source lists their papers again."""
    from bot.cli import maintenance

    _print_done("Dropped", keys, run_with_spinner("Dropping", maintenance.drop(command_settings(), keys)))


def _print_done(what: str, requested: list[str] | None, done: list[str]) -> None:
    for key in done:
        typer.echo(f"{what}: {key}")
    if missing := sorted(set(requested or ()) - set(done)):
        typer.echo(f"Not found: {', '.join(missing)}. `paperboy deliveries list` shows their keys.", err=True)
        raise typer.Exit(1)


@contextmanager
def _export_progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar at a terminal, unless the file itself is printed there. Log nothing in a pipe."""
    from bot.observability.progress import progress

    if sys.stdout.isatty() or not sys.stderr.isatty():
        yield lambda _more: None
        return
    with progress(what) as advance:
        yield advance


@commands.command()
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
            help="For a copy that is made before posting: the process that imports it first checks on the platforms "
            "whether the posts that wait now were made.",
        ),
    ] = False,
) -> None:
    """Write all data to standard output as lines of JSON. The bot may keep running."""
    from bot.cli import maintenance

    async def write() -> None:
        with _export_progress("Exporting") as advance:
            async for line in maintenance.export(command_settings(), channel, about_to_post=about_to_post):
                sys.stdout.write(f"{line}\n")
                advance(1)

    asyncio.run(write())


@commands.command("export-papers")
def export_papers(
    wanted: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="bibtex, ris, csl (JSON) or md.")
    ] = "bibtex",
) -> None:
    """Write all papers for a reference manager or LaTeX.

    They go to standard output.
    """
    from bot.cli import maintenance

    if wanted not in {"bibtex", "ris", "csl", "md"}:
        raise typer.BadParameter("--format is bibtex, ris, csl or md")

    async def write() -> None:
        with _export_progress("Pages of papers") as advance:
            async for part in maintenance.export_papers(command_settings(quiet=True), wanted):
                sys.stdout.write(part)
                advance(1)

    asyncio.run(write())


@commands.command("import")
def import_(
    to: Annotated[
        ChannelRef | None,
        typer.Option(
            parser=_channel,
            metavar="CHANNEL",
            help="Import into this channel instead, even on another platform.",
        ),
    ] = None,
) -> None:
    """Import lines of `paperboy export` from standard input. Existing data stays as it is.

    Exit code 65 if a line can't be read.
    """
    from bot.cli import maintenance
    from bot.store.backup.export_records import BadLine

    try:
        typer.echo(asyncio.run(maintenance.restore(command_settings(), sys.stdin, to)))
    except BadLine as error:
        typer.echo(f"paperboy: {error}", err=True)
        raise typer.Exit(EX_DATAERR) from None


@commands.command()
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
        forgetting = maintenance.forget(command_settings(), whom, person=person)
        typer.echo(f"Deleted: {run_with_spinner('Deleting', forgetting)}.")
    except ValueError:
        raise typer.BadParameter(
            f"{whom!r} isn't a {'person' if person else 'channel or workspace'}. See `paperboy forget --help`."
        ) from None


@commands.command()
def subscribe(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Lines such as: slack:T024BE7LD:C061EG9SL diffusion every:daily"),
    ],
) -> None:
    """Set the subscriptions of channels from a file.

    Each channel in the file gets exactly the subscriptions that the file lists for it.
    """
    from bot.cli import maintenance
    from bot.domain.errors import UserError

    try:
        lines = file.read_text("utf-8").splitlines()
        setting = maintenance.set_subscriptions(command_settings(), lines)
        typer.echo(run_with_spinner("Subscribing", setting))
    except (OSError, UnicodeDecodeError, UserError) as error:
        typer.echo(f"paperboy: {file}: {error}", err=True)
        raise typer.Exit(EX_DATAERR) from None


@commands.command()
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
    result = asyncio.run(fill(command_settings(), days, file))
    typer.echo(f"{result}.")
    for problem in result.broken:
        typer.echo(f"      {problem}", err=True)
    raise typer.Exit(EX_UNAVAILABLE if result.broken and file is None else 0)

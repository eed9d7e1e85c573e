"""The `/paper` table, defined once: every platform's form, the help and the README's table come from it."""

from dataclasses import replace

from bot.commands.hidden_commands import HIDDEN
from bot.commands.specs import EXPORT, PAGE, QUERY_OR_NUMBER, CommandSpec, OptionSpec

_SURE = OptionSpec(
    name="sure",
    help="don't ask first",
    kind="choice",
    choices=("no", "yes"),
    hidden=True,
)
_LIST = OptionSpec(
    name="list", help="your own list, or the one of this channel", kind="choice", choices=("mine", "here")
)
_EXPORT_SAVED = replace(
    EXPORT,
    help="a file for a reference manager or LaTeX; or to your Zotero library",
    choices=(*EXPORT.choices, "zotero"),
)

COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        name="subscribe",
        group="Follow",
        aliases=("sub", "follow"),
        summary="post new papers that match a query here",
        example='subscribe "language model" -survey',
        options=(
            OptionSpec(
                name="query", help="words that all have to appear", kind="query", free=True, required=True
            ),
            OptionSpec(
                name="every",
                help="as they come, or in a daily or weekly digest",
                kind="choice",
                choices=("now", "daily", "weekly"),
                also=("channel",),
            ),
            OptionSpec(
                name="always",
                help="post its papers even above the channel's limit of papers a day",
                kind="choice",
                choices=("no", "yes"),
            ),
            _SURE,
        ),
        changes=True,
        posts=True,
    ),
    CommandSpec(
        name="unsubscribe",
        group="Follow",
        aliases=("unsub", "unfollow", "remove"),
        summary="stop a subscription",
        example="unsubscribe #3",
        options=(
            OptionSpec(
                name="subscription",
                help=f"{QUERY_OR_NUMBER}; or all",
                kind="subscription",
                free=True,
                required=True,
            ),
            _SURE,
        ),
        changes=True,
    ),
    CommandSpec(
        name="list",
        group="Follow",
        summary="show what this channel is subscribed to",
        example="list",
        options=(PAGE,),
    ),
    CommandSpec(
        name="preview",
        group="Follow",
        summary="show what a query or subscription would have posted lately; nothing is posted",
        example="preview diffusion, flow matching",
        options=(
            OptionSpec(
                name="query",
                help="words to look for, or a subscription's number",
                kind="subscription",
                free=True,
                required=True,
            ),
        ),
    ),
    CommandSpec(
        name="search",
        group="Find",
        aliases=("find",),
        summary="find papers by words, authors, ids or links; only you see the results",
        example='search "diffusion policy" author:song days:90',
        options=(
            OptionSpec(
                name="query",
                help="words of a title or abstract, authors, an id, or a query as for subscribe",
                kind="title",
                free=True,
                required=True,
            ),
            OptionSpec(name="days", help="only papers of the last N days", kind="integer"),
            OptionSpec(
                name="sort",
                help="the best match, the newest or the most upvoted first",
                kind="choice",
                choices=("best", "new", "top"),
            ),
            EXPORT,
            PAGE,
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="similar",
        group="Find",
        aliases=("like",),
        summary="find papers like one that you name by its id or link",
        example="similar 2405.01234",
        options=(
            OptionSpec(name="paper", help="its id, link or title", kind="title", free=True, required=True),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="trending",
        group="Find",
        summary="show what is trending now, or the most upvoted of a week or month",
        example="trending week",
        options=(
            OptionSpec(
                name="span",
                help="now, or the most upvoted of the last days",
                kind="choice",
                free=True,
                choices=("day", "week", "month"),
            ),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="author",
        group="Follow",
        summary="show an author's latest papers, and follow them",
        example="author Yoshua Bengio",
        options=(OptionSpec(name="name", help="the author's name", kind="text", free=True, required=True),),
        anywhere=True,
    ),
    CommandSpec(
        name="org",
        group="Follow",
        aliases=("lab", "organization"),
        summary="show an organization's latest papers, and follow it",
        example="org deepmind",
        options=(
            OptionSpec(name="name", help="its name, like deepmind", kind="text", free=True, required=True),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="presets",
        group="Follow",
        summary="show ready-made queries for fields of science",
        example="presets",
        options=(PAGE,),
        anywhere=True,
    ),
    CommandSpec(
        name="explain",
        group="Papers",
        aliases=("why",),
        summary="say why a paper was posted here, or why not",
        example="explain 2405.01234",
        options=(
            OptionSpec(name="paper", help="its id, link or title", kind="title", free=True, required=True),
        ),
    ),
    CommandSpec(
        name="life",
        group="Papers",
        summary="show what happened to a paper: versions, acceptance, code, withdrawal",
        example="life 2405.01234",
        options=(
            OptionSpec(name="paper", help="its id, link or title", kind="title", free=True, required=True),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="watch",
        group="Papers",
        summary="get news of a paper: new versions, acceptance, code, withdrawal",
        example="watch 2405.01234 accepted,code",
        options=(
            OptionSpec(
                name="paper",
                help="its id, link or title; without one, what is watched",
                kind="title",
                free=True,
            ),
            OptionSpec(
                name="events",
                help="all, important, or some: accepted,code",
                kind="text",
                sample="accepted,code",
            ),
            OptionSpec(
                name="to",
                help="who gets them: you, or this channel",
                kind="choice",
                choices=("me", "channel"),
            ),
            OptionSpec(
                name="saved",
                help="which news of your saved papers you get",
                kind="choice",
                choices=("all", "important", "none"),
            ),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="unwatch",
        group="Papers",
        summary="stop news of a paper",
        example="unwatch 2405.01234",
        options=(
            OptionSpec(
                name="paper", help="its id, link or title; or all", kind="title", free=True, required=True
            ),
            OptionSpec(
                name="to",
                help="for whom: you, or this channel",
                kind="choice",
                choices=("me", "channel"),
            ),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="mute",
        group="This channel",
        summary="don't post papers that match a query here",
        example="mute survey for:7d",
        options=(
            OptionSpec(
                name="query",
                help="what not to post here, or a subscription like #3",
                kind="query",
                free=True,
                required=True,
            ),
            OptionSpec(name="for", help="how long, like 12h, 7d or 2w", kind="text", sample="7d"),
        ),
        changes=True,
    ),
    CommandSpec(
        name="unmute",
        group="This channel",
        summary="end a mute; without a query, show all mutes",
        example="unmute survey",
        options=(OptionSpec(name="query", help="the muted query", kind="query", free=True),),
        changes=True,
    ),
    CommandSpec(
        name="taste",
        group="This channel",
        summary="show or change what Paperboy learned from 👍 and 👎 here",
        example="taste like 2405.01234",
        options=(
            OptionSpec(
                name="what",
                help="like, dislike or forget and a paper; remove or restore and a term; or reset, off, on",
                kind="text",
                free=True,
            ),
        ),
        changes=True,
    ),
    CommandSpec(
        name="settings",
        group="This channel",
        summary="show or change schedule, time zone, quiet hours, cards, and who may edit",
        example="settings every:daily hour:9 zone:Berlin quiet:22-7",
        options=(
            OptionSpec(
                name="every",
                help="as they come, or in a daily or weekly digest",
                kind="choice",
                choices=("now", "daily", "weekly"),
            ),
            OptionSpec(name="hour", help="the hour of digests", kind="text"),
            OptionSpec(name="day", help="the day of weekly digests", kind="text"),
            OptionSpec(name="zone", help="the time zone, a city", kind="text"),
            OptionSpec(name="quiet", help="hours without posts, like 22-7, or off", kind="text"),
            OptionSpec(
                name="weekends",
                help="whether papers are posted on weekends",
                kind="choice",
                choices=("on", "off"),
            ),
            OptionSpec(
                name="digest",
                help="more new papers than this in six hours become one message",
                kind="integer",
            ),
            OptionSpec(name="most", help="papers a day, the best ones; or off", kind="text"),
            OptionSpec(
                name="always",
                help="subscriptions without that limit, like #1,#3",
                kind="text",
                sample="#1",
            ),
            OptionSpec(
                name="detail", help="compact or full cards", kind="choice", choices=("compact", "full")
            ),
            OptionSpec(
                name="edits", help="keep posted cards up to date", kind="choice", choices=("off", "on")
            ),
            OptionSpec(
                name="links",
                help="cards below links to papers that people post here",
                kind="choice",
                choices=("on", "off"),
            ),
            OptionSpec(name="threads", help="a thread for each card", kind="choice", choices=("off", "on")),
            OptionSpec(
                name="embeds",
                help="classic embeds instead of the modern card layout",
                kind="choice",
                choices=("off", "on"),
            ),
            OptionSpec(
                name="publish",
                help="in announcement channels, publish posts to followers",
                kind="choice",
                choices=("no", "yes"),
                also=("off", "on"),
            ),
            OptionSpec(name="ping", help="a role to notify of each post, or none", kind="text"),
            OptionSpec(
                name="editors",
                help="who may change what is posted here",
                kind="choice",
                choices=("default", "everyone", "managers"),
            ),
        ),
        changes=True,
    ),
    CommandSpec(
        name="status",
        group="This channel",
        summary="show what was read, the next digest, and what is waiting or failed here",
        example="status",
    ),
    CommandSpec(
        name="feed",
        group="This channel",
        aliases=("rss", "atom"),
        summary="get the address of a feed of the posts or of the shared list here, for a feed reader",
        example="feed #3",
        options=(
            OptionSpec(
                name="subscription",
                help="a subscription, like #3; without one, all posts here",
                kind="subscription",
                free=True,
            ),
            OptionSpec(
                name="list",
                help="the shared list of this channel, not its posts",
                kind="choice",
                choices=("here",),
            ),
            OptionSpec(
                name="feed",
                help="show its address, replace it, or end it",
                kind="choice",
                choices=("show", "new", "off"),
            ),
        ),
        changes=True,
    ),
    CommandSpec(
        name="api",
        group="This channel",
        summary="make or end a token with which a program reads the posts here",
        example="api new",
        options=(
            OptionSpec(
                name="token",
                help="show what there is, make a new token, or end it",
                kind="choice",
                free=True,
                choices=("show", "new", "off"),
            ),
            OptionSpec(
                name="webhook",
                help="send each post to an address, too: add https://…, list, or remove #1",
                kind="text",
                sample="list",
            ),
        ),
        changes=True,
    ),
    CommandSpec(
        name="webhook",
        group="This channel",
        aliases=("webhooks", "hook"),
        summary="send each post here to an https address, too, for a program or another chat",
        example="webhook add https://hooks.example.org/papers",
        options=(
            OptionSpec(
                name="what",
                help="add and an address; list; or remove and a number, like #1",
                kind="text",
                free=True,
            ),
            OptionSpec(name="format", help="how a post is written", kind="text", sample="json"),
        ),
        changes=True,
        typed=True,
    ),
    CommandSpec(
        name="save",
        group="Papers",
        summary="put a paper on your reading list, or on this channel's",
        example='save 2405.01234 here note:"read section 3" tag:to-read',
        options=(
            OptionSpec(name="paper", help="its id or link", kind="text", free=True, required=True),
            OptionSpec(
                name="note",
                help="a note about it, or none",
                kind="text",
                sample='"read section 3"',
            ),
            OptionSpec(
                name="tag", help="tags, separated by commas, or none", kind="text", sample="to-read,rl"
            ),
            _LIST,
            OptionSpec(
                name="remove", help="take it off again", kind="choice", choices=("no", "yes"), hidden=True
            ),
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="saved",
        group="Papers",
        summary="show or search your reading list, or this channel's",
        example="saved diffusion tag:to-read",
        options=(
            OptionSpec(name="words", help="words or a query to look for", kind="text", free=True),
            OptionSpec(name="tag", help="only papers with this tag", kind="text", sample="to-read"),
            _LIST,
            _EXPORT_SAVED,
            PAGE,
        ),
        anywhere=True,
    ),
    CommandSpec(
        name="forget",
        group="This channel",
        summary="delete everything that is stored about this channel, or about you",
        example="forget me",
        options=(
            OptionSpec(
                name="what",
                help="this channel with its subscriptions, or you: what you saved, watch and liked",
                kind="choice",
                choices=("channel", "me"),
                free=True,
            ),
            _SURE,
        ),
    ),
    CommandSpec(
        name="help",
        group="This channel",
        summary="show all commands, or one in detail",
        example="help subscribe",
        options=(OptionSpec(name="command", help="the command to explain", kind="text", free=True),),
        anywhere=True,
    ),
    *HIDDEN,
)


def find(name: str) -> CommandSpec | None:
    """Return the command of that name or alias, in any case."""
    wanted = name.casefold()
    return next((spec for spec in COMMANDS if wanted == spec.name or wanted in spec.aliases), None)


def shown() -> tuple[CommandSpec, ...]:
    """Return the commands that help and forms list."""
    return tuple(spec for spec in COMMANDS if not spec.hidden)


def message_commands() -> tuple[CommandSpec, ...]:
    """Return the commands in the menu of a message."""
    return tuple(spec for spec in COMMANDS if spec.on_message)


def markdown() -> str:
    """Return the README's table."""
    rows = [f"| {_cell(spec)} | {spec.summary} |" for spec in shown()]
    return "\n".join(("| command | does |", "|---|---|", *rows))


def _cell(spec: CommandSpec) -> str:
    usage = f"/paper {spec.usage}".replace("|", "\\|")
    aliases = f" (or {', '.join(f'`{alias}`' for alias in spec.aliases)})" if spec.aliases else ""
    return f"`{usage}`{aliases}"

"""`/paper help`: all commands, or one of them."""

from difflib import get_close_matches
from typing import get_args

from bot.cards import Block, Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, dim, paragraph, text
from bot.commands.first_screen import first_card
from bot.commands.other_names import other_name, setting_named
from bot.commands.services import Services
from bot.commands.specs import CommandSpec, Group, OptionSpec
from bot.commands.table import find, shown
from bot.commands.unknown import MIN_NAME_SIMILARITY
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply

_LANGUAGE = (
    ("diffusion policy", "both words"),
    ("diffusion, flow matching", "the first word, or both of the others"),
    ('"language model" -survey', "the phrase, but not that word"),
    ("author:hinton cat:cs.LG", "an author, in one arXiv category"),
    ("trending, agents min:30", "trending papers, or papers on agents with 30 upvotes"),
)
_MENUS = paragraph("In the menu of any message you can show and save the papers that it names.")

_EVERYTHING = frozenset({"", "me", "please", "all", "everything", "commands"})


async def help_(command: Command, services: Services) -> Reply:
    """Reply with all commands, or one in full; in a channel without subscriptions, with how to begin."""
    typed = command.options.get("command", "").strip().removeprefix("/paper").strip()
    if not typed and not await services.subscriptions.of(command.channel):
        return Reply(await first_card(command.channel, services))
    menus = services.platform(command.channel).message_menus
    return Reply(
        help_card(menus=menus) if typed.casefold() in _EVERYTHING else command_card(_find_command(typed))
    )


def help_card(*, menus: bool = False) -> Card:
    """Return a card with every command by group, then query examples; `menus` says whether messages have menus."""
    examples = tuple(text(code(query), f" – {meaning}") for query, meaning in _LANGUAGE)
    return Card(
        "help",
        f"Commands: {', '.join(spec.name for spec in shown())}",
        "New papers, in this channel",
        (
            *(block for group in get_args(Group) for block in _group(group)),
            *((_MENUS,) if menus else ()),
            paragraph(dim("Options of a command: "), code("/paper help subscribe")),
            paragraph("Queries match whole words: ", code("rag"), " doesn't match “storage”."),
            Bullets(examples),
            *actions(Button("This channel's subscriptions", "list"), Button("Trending now", "trending")),
        ),
    )


def _group(group: Group) -> tuple[Block, ...]:
    """Return a heading, and the commands below it."""
    commands = (
        text(code(f"/paper {one.short_usage}"), f" – {one.summary}") for one in shown() if one.group == group
    )
    return paragraph(bold(group)), Bullets(tuple(commands))


def command_card(spec: CommandSpec) -> Card:
    """Return a card about one command: usage, options, other names, an example."""
    options = tuple(_option(option) for option in spec.options if not option.hidden)
    aliases = (paragraph(dim(f"Also: {', '.join(spec.aliases)}")),) if spec.aliases else ()
    return Card(
        "help",
        f"{spec.name}: {spec.summary}",
        spec.name,
        (
            paragraph(code(f"/paper {spec.usage}"), f" – {spec.summary}"),
            *((Bullets(options),) if options else ()),
            paragraph("For example ", code(f"/paper {spec.example}")),
            *aliases,
        ),
    )


def _option(option: OptionSpec) -> Text:
    values = f": {', '.join(option.choices)}" if option.choices else ""
    return text(code(option.name), f" – {option.help}{values}")


def _find_command(typed: str) -> CommandSpec:
    spec = find(typed) or find(typed.partition(" ")[0])
    if spec is not None:
        return spec
    if (setting := setting_named(typed.strip(":").casefold())) is not None:
        raise UserError(f"“{setting}:” is a setting of the channel.", hint="/paper settings")
    near = get_close_matches(
        typed.casefold(), [spec.name for spec in shown()], n=1, cutoff=MIN_NAME_SIMILARITY
    )
    meant = other_name(typed) or (near[0] if near else "")
    question = f" Did you mean “{meant}”?" if meant else ""
    raise UserError(f"Unknown command “{typed}”.{question}", hint=f"/paper help {meant}".rstrip())

"""The core as a platform sees it: a command in, a reply out, even if something fails."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

import structlog

from bot.cards import Card, Choice
from bot.cards.errors import SLASH, error_card, sorry_card
from bot.commands.card_buttons import abstract, more, share, show
from bot.commands.complete import complete
from bot.commands.explain import explain
from bot.commands.feedback import down, narrow, up, widen
from bot.commands.feeds import api, feed
from bot.commands.first_screen import first_card
from bot.commands.forget import forget
from bot.commands.help import help_
from bot.commands.hints import button_for
from bot.commands.life import life
from bot.commands.links import Show, show_links
from bot.commands.list import list_
from bot.commands.mentioned import papers, savepapers, similarpapers
from bot.commands.mute import mute, mutewhat, unmute
from bot.commands.parser import INVOCATION, ParsedCommand, check_options, parse_line, resolve_command
from bot.commands.people import author, followwhat, org
from bot.commands.presets import presets
from bot.commands.preview import preview
from bot.commands.saved import save, saved
from bot.commands.search import search
from bot.commands.services import Services
from bot.commands.settings import refuse_foreign, settings
from bot.commands.similar import similar
from bot.commands.specs import CommandSpec
from bot.commands.status import status
from bot.commands.subscribe import subscribe
from bot.commands.synonyms import also
from bot.commands.taste import taste
from bot.commands.trending import trending
from bot.commands.unsubscribe import unsubscribe
from bot.commands.watch import unwatch, watch
from bot.commands.webhooks import webhook
from bot.commands.zotero import zotero
from bot.domain.errors import ChannelGone, UserError, WorkspaceGone
from bot.domain.models import ChannelRef, ChannelSettings, Command, Paper, Subscription, User
from bot.observability import metrics
from bot.ports import Reply
from bot.store.reactions import PaperList

Handler = Callable[[Command, Services], Awaitable[Reply]]

HANDLERS: Mapping[str, Handler] = {
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "list": list_,
    "preview": preview,
    "search": search,
    "similar": similar,
    "trending": trending,
    "author": author,
    "org": org,
    "presets": presets,
    "explain": explain,
    "life": life,
    "watch": watch,
    "unwatch": unwatch,
    "mute": mute,
    "unmute": unmute,
    "taste": taste,
    "settings": settings,
    "status": status,
    "feed": feed,
    "api": api,
    "webhook": webhook,
    "save": save,
    "saved": saved,
    "forget": forget,
    "help": help_,
    "show": show,
    "zotero": zotero,
    "papers": papers,
    "savepapers": savepapers,
    "similarpapers": similarpapers,
    "share": share,
    "abstract": abstract,
    "up": up,
    "down": down,
    "narrow": narrow,
    "widen": widen,
    "also": also,
    "mutewhat": mutewhat,
    "followwhat": followwhat,
    "more": more,
}

log = structlog.get_logger(__name__)


class Commands:
    """Handles every command of the table; implements `bot.ports.Core`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """Carry out a line as typed, with or without its `/paper`."""
        try:
            parsed = parse_line(line, user, channel)
        except UserError as error:
            return Reply(
                error_card(error, line, button_for(error.hint, INVOCATION.sub("", line.strip(), count=1)))
            )
        return await self._answer(parsed)

    async def handle(self, command: Command) -> Reply:
        """Carry out a command that a form or a button sent."""
        try:
            parsed = resolve_command(command)
        except UserError as error:
            return Reply(error_card(error, ""))
        return await self._answer(parsed)

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        """Return the greeting for a channel that Paperboy was just added to, or for the server named `everywhere`."""
        return await first_card(channel, self._services, everywhere)

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        """Stop posting in the channel for now, keep its subscriptions and notify one person."""
        await self._services.pause(channel, ChannelGone(reason))

    async def resume(self, channel: ChannelRef) -> None:
        """Post in the channel again."""
        await self._services.outbox.resume(channel)

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        """Stop posting in the workspace, keep its subscriptions and notify one person, if one can be reached."""
        await self._services.pause(ChannelRef(platform, workspace, ""), WorkspaceGone(reason))

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        """Post in the workspace again."""
        await self._services.outbox.resume_workspace(platform, workspace)

    async def complete(
        self,
        command: str,
        option: str,
        typed: str,
        user: User,
        channel: ChannelRef,
    ) -> Sequence[Choice]:
        """Return suggestions for what is being typed. Never raises: the person just goes on typing."""
        try:
            if not await self._is_member(user, channel):
                return ()
            return await complete(command, option, typed, channel, self._services)
        except Exception:  # the edge, as in `_answer`
            log.exception("completion_failed", command=command, option=option)
            return ()

    async def settings(self, channel: ChannelRef) -> ChannelSettings:
        """Return the channel's settings."""
        return await self._services.settings.of(channel)

    async def subscriptions(
        self, channels: Iterable[ChannelRef]
    ) -> Mapping[ChannelRef, Sequence[Subscription]]:
        """Return the subscriptions of each channel that has any."""
        return await self._services.subscriptions.of_each(tuple(channels))

    async def saved(self, user: User, channel: ChannelRef) -> Sequence[Paper]:
        """Return the papers that the person has saved, the latest first."""
        ids = await self._services.saved.of(PaperList.of_person(user, channel))
        papers = await self._services.papers.get(ids)
        return [papers[paper_id] for paper_id in ids if paper_id in papers]

    async def show_links(self, links: Sequence[str], channel: ChannelRef, show: Show) -> None:
        """Show cards for those links that lead to papers. Never raises: the links work without cards."""
        try:
            await show_links(links, channel, self._services, show)
        except Exception:  # the edge, as in `_answer`
            log.exception("links_not_shown", channel=str(channel))

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        """Move everything stored about a channel to its new id."""
        await self._services.move(old, new)

    async def forget(self, channel: ChannelRef) -> None:
        """Delete everything stored about a channel."""
        await self._services.forgetting.channel(channel)

    async def _answer(self, parsed: ParsedCommand) -> Reply:
        """Carry out a command and answer its errors; log those that aren't the person's mistake."""
        began, outcome = monotonic(), "ok"
        name, command = parsed.spec.name, parsed.command
        try:
            return await self._carry_out(parsed.spec, command)
        except UserError as error:
            outcome = "refused"
            whole = _with_whole_hint(error, parsed)
            return Reply(error_card(whole, parsed.free_text, button_for(whole.hint, parsed.line)))
        except Exception:  # the edge: a person waits for an answer, and the platform's loop goes on
            log.exception("command_failed", command=name, channel=str(command.channel), user=command.user.id)
            outcome = "failed"
            return Reply(sorry_card(self._services.database_problem() or ""))
        finally:
            metrics.command_seconds.labels(name, outcome).observe(monotonic() - began)

    async def _carry_out(self, spec: CommandSpec, command: Command) -> Reply:
        if spec.name == "settings":
            refuse_foreign(command, self._services)  # before its value is checked
        check_options(spec, command)
        settings = await self._services.settings.of(command.channel)
        user = await self._services.access.check(spec, command, settings)
        reply = await HANDLERS[spec.name](replace(command, user=user), self._services)
        # Someone who types in the channel can see Paperboy, so posts may get through again.
        await self._services.outbox.resume_if_paused(command.channel)
        return reply

    async def _is_member(self, user: User, channel: ChannelRef) -> bool:
        try:
            return (await self._services.access.of(user, channel)).member
        except UserError:
            return False


def _with_whole_hint(error: UserError, parsed: ParsedCommand) -> UserError:
    """Return the error with its hint as a whole line: the query language suggests only a query."""
    if not error.hint or error.hint.startswith(SLASH):
        return error
    hint = f"{SLASH}{parsed.spec.name} {error.hint}{parsed.named_options}"
    return UserError(str(error), hint=hint, at=error.at)

"""`/paper webhook`: send each post of the channel to an outside address, too."""

from dataclasses import replace

from bot.cards import Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.commands.parser import number_in
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command
from bot.ports import Copying, Reply
from bot.store.copies import Copy
from bot.text import shorten

REMOVING = frozenset({"remove", "delete", "rm", "off", "end"})
BUTTONS = 4
"""Maximum number of webhooks with a button to remove them; any can be removed by typing."""
NAME, PROBLEM = 60, 200
"""Maximum number of characters of the name of who added a webhook, and of why it is paused."""
FORMAT = "format:"


async def webhook(command: Command, services: Services) -> Reply:
    """Add an address, list all, or remove one."""
    copying = _required(services)
    words = command.options.get("what", "").split()
    form = command.options.get("format", "").strip()
    # On platforms where the whole line is one option, it contains the format, too.
    for word in [word for word in words if word.lower().startswith(FORMAT)]:
        form = word[len(FORMAT) :]
        words.remove(word)
    action, *rest = words or ["list"]
    verb = action.lower()
    if verb.startswith("http"):
        verb, rest = "add", words
    if verb == "add":
        return Reply(await _added(command, " ".join(rest), form.lower(), copying, services))
    if verb in REMOVING:
        return Reply(await _removed(command, " ".join(rest), copying, services))
    if verb == "list":
        return Reply(await _listed(command, copying, services))
    raise UserError(
        f"Type add and an address, list, or remove and a number, not “{action}”.", hint="/paper webhook list"
    )


async def problems(channel: ChannelRef, services: Services) -> list[str]:
    """Return a sentence for each webhook of the channel that is paused."""
    if services.copying is None:
        return []
    return [
        f"Webhook #{copy.number} doesn't get posts now: {shorten(pause.why, PROBLEM)}"
        for copy in await services.copies.of(channel)
        if (pause := (await services.outbox.status(copy.to)).pause)
    ]


def _required(services: Services) -> Copying:
    if services.copying is None:
        raise UserError("This Paperboy sends no webhooks. Its operator can set PAPERBOY_SECRET_KEY.")
    return services.copying


async def _added(command: Command, address: str, form: str, copying: Copying, services: Services) -> Card:
    if not address:
        raise UserError(
            "Which address? It begins with https://.",
            hint="/paper webhook add https://hooks.example.org/papers",
        )
    channel = command.channel
    existing = await services.copies.of(channel)
    to = await copying.destination(
        address, form or copying.formats[0], existing=[copy.sealed for copy in existing]
    )
    place = ChannelRef(copying.name, to.workspace, "")
    wanted = Copy(to=place, by=command.user.signature, at=services.now(), sealed=to.sealed)
    copy = await services.copies.add(channel, wanted)
    where = copying.describe(copy.sealed)
    message = f"Each post here is sent to {where}, too."
    return Card(
        "reply",
        message,
        f"Webhook #{copy.number}",
        (
            paragraph(bold(message)),
            paragraph("Its signing secret, shown only this once: ", code(to.secret)),
            paragraph(
                dim("A program checks with it that a request comes from Paperboy. Keep it to yourself.")
            ),
            *actions(
                Button("All webhooks", "webhook list"), Button("Remove it", f"webhook remove #{copy.number}")
            ),
        ),
    )


async def _listed(command: Command, copying: Copying, services: Services) -> Card:
    copies = await services.copies.of(command.channel)
    if not copies:
        message = "Posts of this channel are sent to no other address."
        return Card(
            "reply",
            message,
            "Webhooks",
            (
                paragraph(message),
                paragraph(
                    "To send each post to one: ", code("/paper webhook add https://hooks.example.org/papers")
                ),
                paragraph(dim(f"How it is written: format:{' or format:'.join(copying.formats)}.")),
            ),
        )
    message = f"Each post here is sent to {count(len(copies), 'other address', 'other addresses')}."
    lines = tuple([await _line(copy, copying, services) for copy in copies])
    buttons = (
        Button(f"Remove #{copy.number}", f"webhook remove #{copy.number}") for copy in copies[:BUTTONS]
    )
    return Card("reply", message, "Webhooks", (paragraph(message), Bullets(lines), *actions(*buttons)))


async def _line(copy: Copy, copying: Copying, services: Services) -> Text:
    status = await services.outbox.status(copy.to)
    name = copy.by.partition(" ")[2]
    by = f", added by {shorten(name, NAME)}" if name else ""
    waiting = f", {count(status.waiting, 'post')} on the way" if status.waiting and not status.pause else ""
    problem = f". {shorten(status.paused, PROBLEM)}" if status.pause else ""
    return text(bold(f"#{copy.number}"), f" {copying.describe(copy.sealed)}{by}{waiting}{problem}")


async def _removed(command: Command, which: str, copying: Copying, services: Services) -> Card:
    copies = await services.copies.of(command.channel)
    number = number_in(which)
    found = [copy for copy in copies if copy.number == number]
    if not found and which and number is None:  # by its host
        found = [copy for copy in copies if which.lower() in copying.describe(copy.sealed)]
    if len(found) != 1:
        known = ", ".join(f"#{copy.number}" for copy in copies)
        raise UserError(
            f"Which one? There is {known}." if known else "There is no webhook to remove.",
            hint=f"/paper webhook remove #{copies[0].number}" if copies else "/paper webhook list",
        )
    await services.copies.remove(command.channel, found[0])
    message = f"#{found[0].number} is removed: nothing more is sent to {copying.describe(found[0].sealed)}."
    return Card("reply", message, blocks=(paragraph(message),))


async def by_option(command: Command, services: Services) -> Reply:
    """Do what `webhook` does as an option of another command: where commands are forms, their number is limited."""
    return await webhook(replace(command, options={"what": command.options["webhook"]}), services)

"""Papers as a file for reference managers."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.cards import Card
from bot.cards.build import count, paragraph
from bot.commands.results import SearchRequest
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Paper
from bot.ports import File, Reply
from bot.search.search import PAGE
from bot.store.reactions import Annotation

MAX_FOUND = 100
"""Maximum number of papers exported from a search: the best ones."""


async def exported(
    papers: Sequence[Paper], name: str, command: Command, annotations: Mapping[str, Annotation] | None = None
) -> Reply:
    """Reply with the papers as a file called `name`, in the format that the command asks for."""
    if not papers:
        raise UserError("There are no papers to export.", hint="/paper help saved")
    file, kind = await asyncio.to_thread(_file_of, papers, name, command.options["export"], annotations or {})
    message = f"{count(len(papers), 'paper')} as {kind}: {file.name}"
    return Reply(Card("reply", message, blocks=(paragraph(message),)), file=file)


async def found_papers(request: SearchRequest, services: Services) -> Sequence[Paper]:
    """Return the best papers that a search finds, all pages together."""
    found: dict[str, Paper] = {}
    for page in range(1, MAX_FOUND // PAGE + 1):
        results = await request.results(services.search, page)
        if results.parts is not None:  # no paper is about it: a card would offer parts of the search
            break
        found |= {paper.id: paper for paper in results.papers}
        if page >= results.pages:
            break
    return list(found.values())


def _file_of(
    papers: Sequence[Paper], name: str, wanted: str, annotations: Mapping[str, Annotation]
) -> tuple[File, str]:
    # Imported only here, because most runs export nothing.
    from bot.text.bibliography import FORMATS, Listed  # noqa: PLC0415

    chosen = FORMATS[wanted]
    about = {paper.id: annotations.get(paper.id, Annotation()) for paper in papers}
    listed = [Listed(paper, about[paper.id].note, about[paper.id].tags) for paper in papers]
    return File(f"{name}.{chosen.suffix}", chosen.mime, chosen.write(listed)), chosen.name

"""Papers, posts and problems as the API's JSON. Pure; `static/openapi.json` describes it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.cards.paper import one_sentence
from bot.cards.sanitize import link, plain
from bot.domain.models import Paper, Subscription
from bot.web.feed_documents import moment, reason_values
from bot.web.list_reader import Item

SENTENCE = 320
"""Maximum number of characters of a paper's summary."""
JSON = "application/json"
PROBLEM = "application/problem+json"


def paper_values(paper: Paper) -> dict[str, Any]:
    """Return a paper's fields."""
    return {
        "id": paper.id,
        "title": plain(paper.title),
        "abstract": plain(paper.abstract),
        "summary": one_sentence(paper, SENTENCE),
        "authors": [name for name in map(plain, paper.authors) if name],
        "url": link(paper.url),
        "pdf_url": link(paper.pdf_url),
        "code_url": link(paper.code_url),
        "project_url": link(paper.project_url),
        "code_stars": paper.code_stars,
        "organization": _text(paper.organization),
        "categories": [name for name in map(plain, paper.categories) if name],
        "published": moment(paper.published),
        "upvotes": paper.upvotes,
        "rank": paper.rank,
        "versions": paper.versions,
        "withdrawn": bool(paper.withdrawn),
        "comment": _text(paper.comment),
        "journal_ref": _text(paper.journal_ref),
        "doi": _text(paper.doi),
        "events": [
            {"kind": event.kind, "at": moment(event.at), "text": plain(event.text)} for event in paper.events
        ],
    }


def post_values(item: Item) -> dict[str, Any]:
    """Return the fields of a post: a paper, or an event in its life."""
    return {
        "paper": paper_values(item.paper),
        "posted_at": moment(item.at),
        "event": item.event or None,
        "reasons": [reason_values(reason) for reason in item.matched],
    }


def subscription_values(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription's fields, without the name of its creator."""
    return {
        "number": subscription.number,
        "query": subscription.query,
        "every": subscription.every,
        "created_at": moment(subscription.created_at),
    }


def dumped(values: Mapping[str, Any]) -> bytes:
    """Encode `values` as JSON."""
    return json.dumps(values, ensure_ascii=False).encode()


def problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error response in the format of RFC 9457."""
    title = HTTPStatus(status).phrase
    values = {"type": "about:blank", "title": title, "status": status}
    text = plain(detail)
    values |= {"detail": text} if text and text != f"{status}: {title}" else {}
    return web.Response(body=dumped(values), status=status, content_type=PROBLEM, headers=headers)


def _text(text: str | None) -> str | None:
    return plain(text or "") or None

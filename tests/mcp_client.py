"""Calls of an assistant's tools, by the official client."""

from typing import Any

from mcp import Client

from bot.web.assistant import NOTICE


async def call(client: Client, tool: str, **arguments: object) -> Any:
    """What a tool answers, as values. Fails if the answer is an error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


def ids(answer: Any) -> list[str]:
    """The papers of an answer, which has to say that their texts are data."""
    assert answer["notice"] == NOTICE
    return [paper["id"] for paper in answer["papers"]]

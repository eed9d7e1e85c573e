"""Call an assistant's tools with the official MCP client."""

from typing import Any

from mcp import Client

from bot.web.assistant import NOTICE


async def call(client: Client, tool: str, **arguments: object) -> Any:
    """Call a tool and return its structured answer. Fails if the answer is an error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


def ids(answer: Any) -> list[str]:
    """Return the ids of an answer's papers; the answer must say that their texts are data."""
    assert answer["notice"] == NOTICE
    return [paper["id"] for paper in answer["papers"]]

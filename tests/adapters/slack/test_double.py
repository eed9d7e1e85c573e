"""The double is as strict as Slack: it refuses an app's invalid requests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.slack.manifest import manifest
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.blocks import Refused, check
from tests.adapters.slack.double.conversation import post
from tests.adapters.slack.double.links import NotAcknowledged
from tests.adapters.slack.double.world import Json


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(manifest("socket")).serve() as made:
        yield made


async def call(slack: Slack, method: str, token: str = "", **body: object) -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(slack.api_url + method, json=body, headers=headers) as answer,
    ):
        found: Json = await answer.json()
        return found


async def test_tokens_scopes_and_membership_are_checked(slack: Slack) -> None:
    lab = slack.workspace()
    ada = slack.person(lab)
    open_, den = slack.channel(lab, "open", ada), slack.channel(lab, "den", ada, private=True)
    token = slack.world.install(lab, ada.user, frozenset({"chat:write"}))

    async def post(channel: str, value: str = token.value, **body: object) -> str:
        answer = await call(slack, "chat.postMessage", value, channel=channel, **({"text": "x"} | body))
        return str(answer.get("error", "ok"))

    assert await post(open_.id, "") == "not_authed"
    assert await post(open_.id, "xoxb-no") == "invalid_auth"
    assert await post(open_.id) == "not_in_channel"
    assert await post(den.id) == "channel_not_found"
    token.scopes |= {"chat:write.public"}
    assert await post(open_.id) == "ok"
    assert await post(open_.id, text="") == "no_text"
    assert await post(open_.id, text="x" * 4001) == "msg_too_long"
    assert await post(open_.id, metadata={"event_type": "x"}) == "invalid_metadata_format"
    assert (
        await post(open_.id, metadata={"event_type": "x", "event_payload": {"k": "v" * 9000}})
        == "metadata_too_large"
    )
    open_.archived = True
    assert await post(open_.id) == "is_archived"
    assert (await call(slack, "users.info", token.value, user=ada.user))["error"] == "missing_scope"
    assert (await call(slack, "conversations.info", token.value, channel=den.id))["error"] == "missing_scope"
    token.expires_at = 0.0
    assert await post(open_.id) == "token_expired"
    slack.world.uninstall(lab)
    assert await post(open_.id) == "account_inactive"


async def test_a_response_url_works_five_times_and_a_trigger_once(slack: Slack) -> None:
    lab = slack.workspace()
    ada = slack.person(lab)
    room = slack.channel(lab, "papers", ada)
    token = slack.world.install(lab, ada.user)
    trigger = slack.trigger(ada.user)
    url = slack.response_url(room, ada.user, trigger)
    async with aiohttp.ClientSession() as session:
        codes = [(await session.post(url, json={"text": "x"})).status for _ in range(6)]
    assert codes == [200] * 5 + [404]
    assert all(message.only_for == ada.user for message in room.messages)
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "T"},
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "H"}}],
    }
    opened = [await call(slack, "views.open", token.value, trigger_id=trigger, view=view) for _ in range(2)]
    assert [answer["ok"] for answer in opened] == [True, False]
    title = {"type": "plain_text", "text": "T" * 25}
    refused = await call(
        slack, "views.open", token.value, trigger_id=slack.trigger(ada.user), view=view | {"title": title}
    )
    assert refused["error"] == "invalid_arguments"


async def test_unacknowledged_events_are_sent_again(slack: Slack) -> None:
    lab = slack.workspace()
    slack.world.install(lab, slack.person(lab).user)
    await slack.event(lab, {"type": "app_uninstalled"})
    assert len(slack.refused) == 4
    ada = slack.person(lab)
    with pytest.raises(NotAcknowledged):
        await ada.type(slack.channel(lab, "papers", ada), "list")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "section"},
        {"type": "section", "text": {"type": "plain_text", "text": ""}},
        {"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}},
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "context", "elements": []},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x" * 76}}],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}],
        },
        {
            "type": "input",
            "label": {"type": "plain_text", "text": "x"},
            "element": {"type": "plain_text_input"},
        },
        {"type": "divider", "color": "red"},
        {"type": "marquee"},
    ],
)
def test_blocks_that_slack_would_refuse_are_refused(block: Json) -> None:
    with pytest.raises(Refused):
        check([block], "message")


def test_a_message_can_have_50_blocks_and_13200_characters() -> None:
    long = {"type": "section", "text": {"type": "plain_text", "text": "x" * 2900}}
    with pytest.raises(Refused, match="msg_blocks_too_long"):
        check([long] * 5, "message")
    with pytest.raises(Refused, match="50 items"):
        check([{"type": "divider"}] * 51, "message")
    check([{"type": "divider"}] * 50, "message")


async def test_unfurls_are_checked(slack: Slack) -> None:
    lab = slack.workspace()
    ada = slack.person(lab)
    room = slack.channel(lab, "open", ada)
    token = slack.world.install(lab, ada.user, frozenset({"chat:write"}))
    link, foreign = "https://arxiv.org/abs/2403.12345", "https://example.org/2403.12345"
    message = await post(ada, room, f"{link} {foreign}")
    section = {"type": "section", "text": {"type": "plain_text", "text": "x"}}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}

    async def unfurl(url: str = link, shown: object = None, **place: str) -> str:
        where = place or {"channel": room.id, "ts": message.ts}
        unfurls = {url: {"blocks": [section]} if shown is None else shown}
        answer = await call(slack, "chat.unfurl", token.value, unfurls=unfurls, **where)
        return str(answer.get("error", "ok"))

    assert await unfurl() == "missing_scope"
    token.scopes |= {"links:write"}
    assert await unfurl() == "ok"
    assert await unfurl(foreign) == "cannot_unfurl_url"
    assert await unfurl(f"{link}/") == "cannot_unfurl_url"
    assert await unfurl(shown={"blocks": []}) == "cannot_parse_attachment"
    assert await unfurl(shown={"blocks": [rich]}) == "invalid_blocks"
    assert await unfurl(shown={"blocks": [section] * 51}) == "invalid_blocks"
    assert await unfurl(channel=room.id, ts="1.000001") == "cannot_find_message"
    assert await unfurl(channel="C0", ts=message.ts) == "cannot_find_channel"
    assert await unfurl(channel=room.id) == "missing_ts"
    assert await unfurl(unfurl_id="x", source="composer") == "invalid_unfurl_id"
    assert await unfurl(unfurl_id="x", source="elsewhere") == "invalid_source"
    answer = await call(slack, "chat.unfurl", token.value, channel=room.id, ts=message.ts)
    assert answer["error"] == "missing_unfurls"
    assert list(message.unfurls) == [link]

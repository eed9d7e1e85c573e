"""Commands that only show something: list, preview, trending, help."""

from datetime import timedelta

from inline_snapshot import snapshot

from bot.cards import Bullets, PaperBlock
from bot.commands.table import shown
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_paper


async def test_a_list_shows_number_query_schedule_and_creator(ask: Ask) -> None:
    await ask('subscribe "language model" -survey every:daily')
    await ask("subscribe rag")
    await ask("unsubscribe #1")
    await ask("subscribe agents min:30")
    lines = card_text(await ask("list")).split("\n")
    assert lines[0] == "# 2 subscriptions in this channel"
    assert lines[1].startswith("- #2 rag · now · by Ada · ")
    assert lines[2].startswith("- #3 agents min:30 · now · by Ada · ")


async def test_an_empty_list_says_how_to_start(ask: Ask) -> None:
    assert card_text(await ask("list")) == snapshot(
        """\
This channel has no subscriptions yet. Try /paper subscribe "language model" -survey
Or start with one of /paper presets:
[Language models: subscribe preset:language-models]
[Robotics: subscribe preset:robotics]
[Image and video generation: subscribe preset:generative-images]\
"""
    )


async def test_a_long_list_has_pages(ask: Ask) -> None:
    for n in range(33):
        await ask(f"subscribe topic{n}")
    pages = [await ask("list")]
    while "Next" in commands_of(pages[-1]):
        pages.append(await ask(commands_of(pages[-1])["Next"]))
    numbers = [
        item[0].text for page in pages for b in page.blocks if isinstance(b, Bullets) for item in b.items
    ]
    assert numbers == [f"#{n}" for n in range(1, 34)]
    assert commands_of(pages[1]) == {"Previous": "list page:1", "Next": "list page:3"}
    assert (await ask("list page:99")) == pages[-1]


async def test_a_preview_shows_the_newest_and_posts_nothing(ask: Ask, see: See) -> None:
    await see(
        *(a_paper(f"p{n}", title=f"Rag {n}", published=NOW - timedelta(days=n / 2)) for n in range(1, 12))
    )
    assert card_text(await ask("preview rag")) == snapshot("""\
# Preview
rag
11 matches in the last 14 days, of 11 papers.
* Rag 1 | Ada Lovelace · 9 Mar
* Rag 2 | Ada Lovelace · 9 Mar
* Rag 3 | Ada Lovelace · 8 Mar
* Rag 4 | Ada Lovelace · 8 Mar
* Rag 5 | Ada Lovelace · 7 Mar
* Rag 6 | Ada Lovelace · 7 Mar
* Rag 7 | Ada Lovelace · 6 Mar
* Rag 8 | Ada Lovelace · 6 Mar
and 3 older
[Subscribe: subscribe rag]\
""")


async def test_a_preview_of_a_subscription_has_no_subscribe_button(ask: Ask, see: See) -> None:
    await see(a_paper(title="Rag"))
    await ask("subscribe rag")
    card = await ask("preview #1")
    assert [block.title for block in card.blocks if isinstance(block, PaperBlock)] == ["Rag"]
    assert commands_of(card) == {}


async def test_trending_keeps_the_order_of_the_source(ask: Ask, see: See) -> None:
    assert "Trending papers aren't loaded yet" in card_text(await ask("trending"))
    await see(a_paper("a", title="First"), a_paper("b", title="Second", upvotes=3), trending=("b", "a"))
    assert card_text(await ask("trending")) == snapshot("""\
# Trending · 10 Mar
curated by AK and the research community on Hugging Face, in trending order, as of 00:00 UTC
* Second | Ada Lovelace · 2 Mar · ▲ 3
* First | Ada Lovelace · 2 Mar
[Post new ones here: subscribe trending]
[This week: trending week]
[This month: trending month]\
""")


async def test_help_all_shows_every_command(ask: Ask) -> None:
    card = await ask("help all")
    assert card_text(card) == snapshot("""\
# New papers, in this channel
Follow
- /paper subscribe <query> – post new papers that match a query here
- /paper unsubscribe <#number or query> – stop a subscription
- /paper list – show what this channel is subscribed to
- /paper preview <#number or query> – show what a query or subscription would have posted lately; nothing is posted
- /paper author <name> – show an author's latest papers, and follow them
- /paper org <name> – show an organization's latest papers, and follow it
- /paper presets – show ready-made queries for fields of science
Find
- /paper search <query> – find papers by words, authors, ids or links; only you see the results
- /paper similar <paper> – find papers like one that you name by its id or link
- /paper trending [day|week|month] – show what is trending now, or the most upvoted of a week or month
Papers
- /paper explain <paper> – say why a paper was posted here, or why not
- /paper life <paper> – show what happened to a paper: versions, acceptance, code, withdrawal
- /paper watch [<paper>] – get news of a paper: new versions, acceptance, code, withdrawal
- /paper unwatch <paper> – stop news of a paper
- /paper save <paper> – put a paper on your reading list, or on this channel's
- /paper saved [<words>] – show or search your reading list, or this channel's
This channel
- /paper mute <query> – don't post papers that match a query here
- /paper unmute [<query>] – end a mute; without a query, show all mutes
- /paper taste [<what>] – show or change what Paperboy learned from 👍 and 👎 here
- /paper settings – show or change schedule, time zone, quiet hours, cards, and who may edit
- /paper status – show what was read, the next digest, and what is waiting or failed here
- /paper feed [<#number or query>] – get the address of a feed of the posts or of the shared list here, for a feed reader
- /paper api [show|new|off] – make or end a token with which a program reads the posts here
- /paper webhook [<what>] – send each post here to an https address, too, for a program or another chat
- /paper forget [channel|me] – delete everything that is stored about this channel, or about you
- /paper help [<command>] – show all commands, or one in detail
In the menu of any message you can show and save the papers that it names.
Options of a command: /paper help subscribe
Queries match whole words: rag doesn't match “storage”.
- diffusion policy – both words
- diffusion, flow matching – the first word, or both of the others
- "language model" -survey – the phrase, but not that word
- author:hinton cat:cs.LG – an author, in one arXiv category
- trending, agents min:30 – trending papers, or papers on agents with 30 upvotes
[This channel's subscriptions: list]
[Trending now: trending]\
""")
    assert all(f"/paper {spec.short_usage}" in card_text(card) for spec in shown())


async def test_help_explains_one_command(ask: Ask) -> None:
    assert card_text(await ask("help /paper sub")) == snapshot("""\
# subscribe
/paper subscribe <query> [every:now|daily|weekly] [always:no|yes] – post new papers that match a query here
- query – words that all have to appear
- every – as they come, or in a daily or weekly digest: now, daily, weekly
- always – post its papers even above the channel's limit of papers a day: no, yes
For example /paper subscribe "language model" -survey
Also: sub, follow\
""")
    assert "/paper help list" in card_text(await ask("help lists"))
    assert commands_of(await ask("help zzz")) == {}

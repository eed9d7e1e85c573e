"""Concurrent changes of a channel's taste."""

import asyncio
from functools import partial

import pytest

from bot.commands.services import Services
from bot.commands.taste_learning import relearn
from bot.domain.models import ChannelSettings
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import taste_of
from tests.papers import a_channel


def an_example(paper: str, taste: ChannelTaste) -> ChannelTaste:
    return taste.with_example(paper, liked=True)


def a_removed_term(term: str, taste: ChannelTaste) -> ChannelTaste:
    return taste.without_term(term)


@pytest.mark.parametrize("most", [0, 3], ids=["nothing to learn", "learned with a budget"])
async def test_concurrent_changes_are_all_stored(services: Services, most: int) -> None:
    here = a_channel()
    await services.settings.put(here, ChannelSettings(most=most))
    papers, words = [f"p{n}" for n in range(5)], [f"word{n}" for n in range(5)]
    changes = [
        *(partial(an_example, paper) for paper in papers),
        *(partial(a_removed_term, word) for word in words),
    ]
    await asyncio.gather(*(relearn(here, services, change) for change in changes))
    taste = taste_of(await services.rules.of(here))
    assert set(taste.examples) == set(papers)
    assert set(taste.removed) == set(words)


async def test_a_taste_based_on_an_old_one_is_not_stored(services: Services) -> None:
    here = a_channel()
    assert await services.rules.put_taste(here, "", "first", [(1.0, 0.5)])
    assert await services.rules.put_taste(here, "", "first", [(1.0, 0.5)]), "a repeated call"
    assert not await services.rules.put_taste(here, "", "second", [(1.0, 0.7)])
    assert (await services.rules.of(here)).taste == "first"

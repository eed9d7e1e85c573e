"""Every card can be rendered for every app. No browser is started."""

import pytest

from tests.pictures.__main__ import APPS, PAPERS, cards, page


@pytest.mark.parametrize("app", APPS)
async def test_every_card_can_be_rendered(app: str) -> None:
    pages = {name: page(app, card) for name, card in cards()}
    assert list(pages) == ["compact", "full", "digest", "help"]
    seen = {name: " ".join(html.split()) for name, html in pages.items()}
    for name in ("compact", "full"):
        assert PAPERS[0].title in seen[name]
        assert "Save" in seen[name] or app == "terminal", "a terminal shows links, and no buttons"
    assert all(paper.title.split(":")[0] in seen["digest"] for paper in PAPERS)
    assert "/paper subscribe &lt;query&gt;" in seen["help"]

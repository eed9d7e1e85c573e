"""arXiv's feeds and OAI-PMH."""

from bot.settings import SettingsGroup
from bot.sources.arxiv import ArxivSettings
from tests.sources.oai_answers import Stored, oai, oai_error
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import Announced, rss, sending


def settings(url: str) -> SettingsGroup:
    return ArxivSettings.model_construct(
        arxiv_rss_url=url, arxiv_oai_url=url, arxiv_api_url=url, arxiv_categories=("cs.CL",)
    )


RECORDINGS = {
    "": Recording(
        good=sending(
            rss(Announced("2605.00001"), Announced("2605.00002"), Announced("2605.00003", "replace"))
        ),
        ids=("2605.00001", "2605.00002"),
        empty=sending(rss()),
        broken=(
            b"",
            rss(Announced("2605.00001"))[:-40],
            b"<html><body>Bad gateway</body></html>",
            rss(title="Feed error for query: cs.XY"),
            rss(Announced("not-an-id")),
        ),
    ),
    ":oai": Recording(
        good=sending(oai(Stored("2605.00001"), Stored("2605.00002"), Stored("2605.00003", source_type="I"))),
        ids=("2605.00001", "2605.00002"),
        empty=sending(oai()),
        broken=(
            b"",
            oai(Stored("2605.00001"))[:-40],
            b"<html><body>Bad gateway</body></html>",
            oai_error("badArgument", "Set does not exist"),
            oai(Stored("not-an-id")),
        ),
    ),
}

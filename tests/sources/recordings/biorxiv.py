"""bioRxiv's days."""

from bot.settings import SettingsGroup
from bot.sources.biorxiv import BiorxivSettings
from tests.sources.preprints import Row, posted
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import sending


def settings(url: str) -> SettingsGroup:
    return BiorxivSettings.model_construct(
        biorxiv_url=url, biorxiv_categories=("all",), medrxiv_categories=("all",)
    )


RECORDINGS = {
    "": Recording(
        good=sending(posted(Row("10.1101/2026.05.18.000001"), Row("10.1101/2026.05.18.000002"))),
        ids=("doi:10.1101/2026.05.18.000001", "doi:10.1101/2026.05.18.000002"),
        empty=sending(posted()),
        broken=(
            b"",
            posted(Row("10.1101/2026.05.18.000001"))[:-9],
            b"<html>Bad gateway</html>",
            b'{"messages": [{"status": "error"}], "collection": []}',
            b'{"messages": [], "collection": []}',
            posted(total=7),
            posted(Row("no doi")),
            b"[" * 99999,
        ),
    ),
}

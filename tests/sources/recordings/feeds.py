"""A journal's feed."""

from ipaddress import ip_network

from bot.settings import SettingsGroup
from bot.sources.feed import FeedSettings
from tests.sources.feed_answers import Entry, journal
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import sending

LOOPBACK = ip_network("127.0.0.0/8")


def settings(url: str) -> SettingsGroup:
    return FeedSettings.model_construct(feeds=(f"journal={url}/feed.xml",), feeds_private=(LOOPBACK,))


RECORDINGS = {
    "": Recording(
        good=sending(journal(Entry("10.1038/s41586-026-00001-1"), Entry("10.1038/s41586-026-00002-2"))),
        ids=("doi:10.1038/s41586-026-00001-1", "doi:10.1038/s41586-026-00002-2"),
        empty=sending(journal()),
        broken=(
            b"",
            journal(Entry("10.1038/s41586-026-00001-1"))[:-9],
            b"<html><body>Bad gateway</body></html>",
            b'{"version": "https://jsonfeed.org/version/1"}',
            journal(Entry(link="javascript:alert(1)")),
        ),
    ),
}

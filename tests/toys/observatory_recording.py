"""The observatory's answers: copied to `tests/sources/recordings/observatory.py`."""

import json

from bot.settings import SettingsGroup
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import sending
from tests.toys.observatory import ObservatorySettings


def settings(url: str) -> SettingsGroup:
    return ObservatorySettings.model_construct(observatory_url=url)


def page(*numbers: int) -> bytes:
    rows = [
        {
            "doi": f"10.1234/star.{number}",
            "title": f"On Star {number}",
            "abstract": "We count it.",
            "authors": "Payne, Cecilia; Cannon, Annie",
            "published": "2026-05-20T06:00:00Z",
            "url": f"https://observatory.example/{number}",
        }
        for number in numbers
    ]
    return json.dumps(rows).encode()


RECORDINGS = {
    "": Recording(
        good=sending(page(1, 2)),
        ids=("doi:10.1234/star.1", "doi:10.1234/star.2"),
        empty=sending(page()),
        broken=(b"", page(1)[:-5], b"{}", b'[{"doi": "none"}]'),
    )
}

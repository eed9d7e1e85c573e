"""Hugging Face's daily list."""

from bot.settings import SettingsGroup
from bot.sources.huggingface import HuggingFaceSettings
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import Lists, listed

_HF_ROWS = [listed("2605.00001"), listed("2605.00002")]


def settings(url: str) -> SettingsGroup:
    return HuggingFaceSettings.model_construct(huggingface_url=url)


RECORDINGS = {
    "": Recording(
        good=Lists({"2026-05-20": _HF_ROWS}).respond,
        ids=("2605.00001", "2605.00002"),
        empty=Lists({}).respond,
        broken=(
            b"",
            b"[{",
            b'{"error": "no"}',
            b"<html>Bad gateway</html>",
            b'[{"paper": {}}]',
            b"[" * 99999,
        ),
    ),
}

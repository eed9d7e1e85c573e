"""In every broken set-up, `paperboy doctor` reports one line per cause."""

import pytest

from tests.cli.doctor_setups import run_all

CAUSES = {
    "no network": "",
    "no Redis at its address": "No Redis answers at 127.0.0.1:9: connection refused",
    "REDIS_URL is a web address": "REDIS_URL must begin with redis://",
    "a mistyped category": "Did you mean cs.AI?",
    "a mistyped setting": "Did you mean PAPERBOY_DATA_DIR?",
    "a word as port": "PORT needs a whole number",
    "the port is taken": "another program listens",
    "a data folder that is a file": "can't be used: not a directory",
    "half of Slack's tokens": "Slack also needs SLACK_APP_TOKEN",
    "Slack's tokens swapped": "SLACK_BOT_TOKEN begins with xoxb-",
    "no network, with Slack and Discord": "",
    "a port that is no number, and a mistyped setting": "PAPERBOY_DATA_DIR? PORT needs a whole number",
    "a port in REDIS_URL that is none": "its port and its database are numbers",
    "a key that is too short": "PAPERBOY_SECRET_KEY must be set",
    "nothing answers anywhere": "another program listens",
    "an address of mail that is none": "SMTP_URL",
    "a mail server that doesn't answer": "mail: can't connect to 127.0.0.1:9: connection refused",
}
UNREACHABLE = "network: "
"""Start of the only other finding: tests have no network."""


@pytest.mark.timeout(240)
async def test_each_cause_is_reported_in_one_line() -> None:
    for outcome in await run_all(at_once=4):
        lines = [line for line in outcome.failed if not line.startswith(UNREACHABLE)]
        assert len(outcome.failed) - len(lines) <= 1, outcome
        assert len(lines) == (1 if CAUSES[outcome.setup] else 0), outcome
        assert all(CAUSES[outcome.setup] in line for line in lines), outcome
        assert outcome.code in {1, 78}, outcome
        assert not any("Errno" in line or "Connector" in line for line in outcome.failed), outcome
        assert not any("Traceback" in line or "pydantic" in line.casefold() for line in outcome.failed)
        assert not any("planted" in line or ".. " in line for line in outcome.failed), outcome

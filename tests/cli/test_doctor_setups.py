"""One cause is one line, in every broken set-up."""

import pytest

from tests.cli.doctor_setups import everything

CAUSES = {
    "no network": "",
    "no Redis at its address": "No Redis answers at 127.0.0.1:9",
    "REDIS_URL is a web address": "REDIS_URL must begin with redis://",
    "a mistyped category": "Did you mean cs.AI?",
    "a mistyped setting": "Did you mean PAPERBOY_DATA_DIR?",
    "a word as port": "PORT needs a whole number",
    "the port is taken": "another program listens",
    "a data folder that is a file": "can't be used",
    "half of Slack's tokens": "Slack also needs SLACK_APP_TOKEN",
    "Slack's tokens swapped": "SLACK_BOT_TOKEN begins with xoxb-",
    "an address of mail that is none": "SMTP_URL",
    "a mail server that doesn't answer": "mail: Error connecting to 127.0.0.1",
}
UNREACHABLE = "sources: none can be reached"
"""The only other thing that is wrong: there is no network in a test."""


@pytest.mark.timeout(240)
async def test_one_cause_is_one_line() -> None:
    for outcome in await everything(at_once=4):
        lines = [line for line in outcome.failed if not line.startswith(UNREACHABLE)]
        assert len(outcome.failed) - len(lines) <= 1, outcome
        assert len(lines) == (1 if CAUSES[outcome.setup] else 0), outcome
        assert all(CAUSES[outcome.setup] in line for line in lines), outcome
        assert outcome.code in {1, 78}, outcome
        assert not any("Traceback" in line or "pydantic" in line.casefold() for line in outcome.failed)
        assert not any("planted" in line or ".. " in line for line in outcome.failed), outcome

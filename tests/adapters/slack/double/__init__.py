"""A double of Slack, as strict as the real one, on real HTTP and web sockets: see `Slack` in `service.py`.

It enforces the rules of the references at docs.slack.dev: scopes, tokens, membership, Block Kit's limits,
3 seconds to acknowledge, 5 uses of a response_url, triggers that expire, signatures, retries of events.
"""

from tests.adapters.slack.double.people import Person, View
from tests.adapters.slack.double.service import Slack
from tests.adapters.slack.double.world import Channel, Message, Workspace

__all__ = ["Channel", "Message", "Person", "Slack", "View", "Workspace"]

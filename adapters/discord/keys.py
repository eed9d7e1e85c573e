"""Redis keys that the processes of the Discord adapter share."""

from functools import partial

from bot.store.keys import adapter_key, workspace

_key = partial(adapter_key, "discord")

KINDS = _key("kinds")
"""Hash of channel id -> its kind, for channels that aren't plain text channels."""
UNREACHABLE = _key("trouble")
"""Hash of channel -> Discord's error code, for channels that can't be posted in."""
SHARDS = _key("shards")
"""The number of shards that the processes at the gateway have agreed on."""
COMMANDS = _key("commands")
"""Hash of application id -> digest of the commands that were last sent to Discord."""
SYNC_PROBLEM = _key("sync")
"""Hash of application id -> reason why Discord has older commands than ours."""


def shard(number: int, count: int) -> tuple[str, str]:
    """Return the keys of the lease on one of `count` shards, and of its fencing token."""
    return _key("shard", str(count), str(number)), _key("fence", str(count), str(number))


def greeted(guild: int) -> str:
    """Return the key that is set while a server isn't greeted again."""
    return f"pb:{{{workspace('discord', str(guild))}}}:greeted"

"""Every key in Redis, built only here (`outbox/lua/outbox.lua` repeats those that scripts build themselves).

A key's hash tag (the part in braces) decides its slot on a Cluster, and a script may only touch keys of one tag. `{ingest}`
is the tag of everything that the poller writes together; `{sNN}` is the shard of a channel.
"""

from binascii import crc32

from bot.domain.models import ChannelRef

SHARDS = 16
"""Number of shards that hold the channels. Never change it: every channel's keys would be orphaned."""

PERIOD, PERIODS = 30 * 86_400, 4
"""Seconds of posts in one hash of sent records, and the number of such hashes that are stored."""

SCHEMA = "pb:{ingest}:schema"
MIGRATING = "pb:{ingest}:migrating"
"""Lock of the process that migrates the layout of keys."""
LEASE = "pb:{ingest}:lease"
FENCE = "pb:{ingest}:fence"
CURSORS = "pb:{ingest}:cursors"
SEEN = "pb:{ingest}:seen"
"""ZSET of paper id -> when it was first seen, in ms. Never trimmed: a paper that isn't in it is new."""
PAPERS = "pb:{ingest}:papers"
"""Stream of polls that wait to be matched."""
CHANGED = "pb:{ingest}:changed"
"""ZSET of paper id -> when its record was last written, in μs and unique: its position for readers."""
TRENDING = "pb:{ingest}:trending"
"""JSON list of paper ids in their source's trending order."""
REPLAYED = "pb:{ingest}:again"
"""Set for half a minute after the papers of the last hours were announced again."""
POLLS = "pb:{ingest}:polls"
"""Hash of source name -> JSON about its last poll, for `status` and `doctor`."""
UNREADABLE = "pb:{ingest}:unreadable"
"""Hash of a record's kind and name -> JSON that says why it can't be read, for `doctor` and the metrics."""
MOVES = "pb:{ingest}:moves"
"""Hash of a channel's former id -> JSON about its move to another id, stored for some minutes."""
WAKE = "pb:wake"
"""Pub/sub channel of notifications; a message names the kind of work that there is."""


def paper(paper_id: str) -> str:
    return f"pb:{{ingest}}:paper:{paper_id}"


def unannounced(source: str) -> str:
    """List of papers to announce once all pages of a source's poll are written."""
    return f"pb:{{ingest}}:unannounced:{source}"


def followed(upstream: str) -> str:
    """Hash of a category that is read because subscriptions need it -> since when, and when last wanted, in ms."""
    return f"pb:{{ingest}}:followed:{upstream}"


def button_payload(name: str) -> str:
    """A text that is too long for a button."""
    return f"pb:kept:{name}"


def gate(upstream: str) -> str:
    """Hash: the process whose turn it is to send a request to an upstream, and when the next turn can begin."""
    return f"pb:{{ingest}}:gate:{upstream}"


def daily_calls(upstream: str, day: str) -> str:
    """Text: how many calls to an upstream were made on a day, and the last attempt that was counted."""
    return f"pb:{{ingest}}:calls:{upstream}:{day}"


def adapter_key(platform: str, *parts: str) -> str:
    """A key that an adapter declares; all keys of a platform are on one slot."""
    return ":".join((f"pb:{{{platform}}}", *parts))


def shard_of(channel: ChannelRef) -> int:
    return crc32(str(channel).encode()) % SHARDS


def shard(number: int) -> str:
    """The prefix of a shard's keys."""
    return f"pb:{{s{number:02d}}}:"


def _home(ref: ChannelRef) -> str:
    return shard(shard_of(ref))


def channels(number: int) -> str:
    """Set of the shard's channels that have or had subscriptions."""
    return f"{shard(number)}channels"


def changes(number: int) -> str:
    """Stream of the shard's changes of subscriptions, for matchers."""
    return f"{shard(number)}changes"


def subscriptions(ref: ChannelRef) -> str:
    """Hash of number -> subscription as JSON."""
    return f"{_home(ref)}subs:{ref}"


def channel(ref: ChannelRef) -> str:
    """Hash of a channel's settings, health and last subscription number."""
    return f"{_home(ref)}channel:{ref}"


def mutes(ref: ChannelRef) -> str:
    """Hash of a query, or of a subscription as `#3` -> who muted it, and until when."""
    return f"{_home(ref)}mutes:{ref}"


def edits(platform: str) -> str:
    """ZSET of a platform's cards to edit: channel, reason, paper."""
    return f"pb:{{ingest}}:edits:{platform}"


def edited(ref: ChannelRef, paper_id: str) -> str:
    """Set of the reasons for which a channel's card of a paper was edited."""
    return f"{_home(ref)}edited:{ref}:{paper_id}"


def votes(ref: ChannelRef) -> str:
    """Hash of a person and a paper -> whether they like it, and the subscriptions that it matched."""
    return f"{_home(ref)}votes:{ref}"


def saved_by(person: ChannelRef) -> str:
    """Sorted set of paper id -> when a person (in the form of a channel of their workspace) saved it, in seconds."""
    return f"{_home(person)}saved:{person}"


def saved_notes(person: ChannelRef) -> str:
    """Hash of paper id -> the note and tags that the person gave it on their list."""
    return f"{_home(person)}saved_notes:{person}"


def shared(ref: ChannelRef) -> str:
    """Sorted set of paper id -> when it was put on the channel's shared list, in seconds."""
    return f"{_home(ref)}shared:{ref}"


def shared_notes(ref: ChannelRef) -> str:
    """Hash of paper id -> who put it on the channel's shared list, with which note and tags."""
    return f"{_home(ref)}shared_notes:{ref}"


def zotero(person: ChannelRef) -> str:
    """The key to a person's Zotero library, encrypted."""
    return f"{_home(person)}zotero:{person}"


def watches(watcher: ChannelRef) -> str:
    """Hash of paper id -> which of its events a channel or person wants to hear about."""
    return f"{_home(watcher)}watches:{watcher}"


def watchers(number: int, paper_id: str) -> str:
    """Set of the shard's channels and people that watch a paper."""
    return f"{shard(number)}watchers:{paper_id}"


def workspace(platform: str, name: str) -> str:
    """A workspace as the outbox names it: the beginning of its channels' text form."""
    return str(ChannelRef(platform, name, "")).removesuffix(":")


def workspace_health(ref: ChannelRef) -> str:
    """Hash: the health of a channel's workspace (paused, limited, failures) in the channel's shard."""
    return f"{_home(ref)}workspace:{workspace(ref.platform, ref.workspace)}"


def posting(number: int, ref: ChannelRef) -> str:
    """ZSET of the shard's channels in a channel's workspace -> when something was last posted there, in ms."""
    return f"{shard(number)}posting:{workspace(ref.platform, ref.workspace)}"


def open_papers(ref: ChannelRef) -> str:
    """Hash of paper id -> the channel's delivery that holds it."""
    return f"{_home(ref)}open:{ref}"


def copies(ref: ChannelRef) -> str:
    """Hash of number -> JSON about a channel that gets a copy of each post, such as an address outside."""
    return f"{_home(ref)}copies:{ref}"


def copy_of(copy: ChannelRef) -> str:
    """The channel whose posts a channel gets."""
    return f"{_home(copy)}copy_of:{copy}"


def fits(ref: ChannelRef) -> str:
    """List of `when fit` of the papers that a channel with a budget matched lately, the latest first."""
    return f"{_home(ref)}fits:{ref}"


def labels(ref: ChannelRef) -> str:
    """ZSET of the label of a message of several papers -> when it was posted."""
    return f"{_home(ref)}labels:{ref}"


def budget(ref: ChannelRef) -> str:
    """ZSET of paper -> when the channel's budget let it out, in the last 24 hours."""
    return f"{_home(ref)}budget:{ref}"


def messages(ref: ChannelRef) -> str:
    """ZSET of a message that counts for the digest threshold -> when it is due, in ms."""
    return f"{_home(ref)}messages:{ref}"


def open_count(number: int) -> str:
    """Number of the shard's deliveries that are due or late."""
    return f"{shard(number)}open"


def due(number: int, platform: str) -> str:
    """ZSET of the shard's workspaces -> when something may be due there."""
    return f"{shard(number)}due:{platform}"


def delivery(key: str) -> str:
    """Hash: one delivery that is not done."""
    return f"{_home(ChannelRef.parse(key.partition('/')[0]))}delivery:{key}"


def dead_letters(number: int, state: str) -> str:
    """ZSET of the shard's dead letters: `dead` or `held`."""
    return f"{shard(number)}{state}"


def paused(number: int) -> str:
    """ZSET of the shard's paused channels and workspaces -> since when, in ms."""
    return f"{shard(number)}paused"


def refused(number: int) -> str:
    """ZSET of the shard's channels whose posts are all refused without a documented reason -> since when, in ms."""
    return f"{shard(number)}refused"


def sent(ref: ChannelRef, period: int) -> str:
    """Hash of paper id -> when and where it was posted, of one channel and 30 days."""
    return f"{_home(ref)}sent:{ref}:{period}"


def token(digest: str) -> str:
    """JSON about a feed's address or an API token, by the hash of its secret."""
    return f"pb:{{tokens}}:token:{digest}"


def tokens(ref: ChannelRef) -> str:
    """Hash of the purpose of a channel's token -> the hash of its secret, for a feed followed by the secret."""
    return f"pb:{{tokens}}:tokens:{ref}"


def recent_errors(span: int) -> str:
    """Hash of process, origin and name -> how often that error occurred in the span of five minutes."""
    return f"pb:{{errors}}:errors:{span}"


def bucket(*scope: str) -> tuple[str, str]:
    """Keys of a shared rate limit: the turns that were given, and until when no post may be sent."""
    tag = ":".join(scope)
    return f"pb:{{rate:{tag}}}:slots", f"pb:{{rate:{tag}}}:until"


def limit(purpose: str, scope: str) -> str:
    """When a limit on requests by strangers is free again; `scope` is hashed."""
    return f"pb:{{limit:{purpose}}}:{scope}"


def installation(platform: str, name: str) -> str:
    """Data that a platform stores about a workspace or a person, encrypted: tokens and addresses."""
    return f"pb:{{{workspace(platform, name)}}}:installation"


def rotation(platform: str, name: str) -> str:
    """Lock of the process that exchanges a workspace's token for a new one."""
    return f"pb:{{{workspace(platform, name)}}}:rotation"


def install_state(platform: str, state: str) -> str:
    """Set from the start of an installation in a browser to its end."""
    return f"pb:{{{platform}}}:state:{state}"


def uninstalled(platform: str, name: str) -> str:
    """Set once the app was uninstalled from a workspace whose token the operator holds."""
    return f"pb:{{{workspace(platform, name)}}}:uninstalled"


def channels_left(platform: str, name: str) -> str:
    """Set of a workspace's channels that removed the app."""
    return f"pb:{{{workspace(platform, name)}}}:left"


def shared_channel(platform: str, channel: str) -> str:
    """Held while a channel that several workspaces share is being subscribed."""
    return f"pb:{{{platform}}}:sharing:{channel}"


def handled(platform: str, what: str) -> str:
    """Set for as long as the platform may send the same event again."""
    return f"pb:{{{platform}:{what}}}:heard"

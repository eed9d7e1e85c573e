"""A paper in, the subscriptions that it matches out, among a million of them in a few milliseconds.

The idea, from the top:

1. A paper becomes a set of some 2,000 **keys** (`keys.py`): its words, runs of up to four of them, beginnings of
   words, `author:…`, `cat:…`, and its signals, `min:1` to `min:42`. To hold for a paper means, for nearly every
   term of the language, that the term's key is in this set. The few others are *derived*: looked at only when a
   key appears without which they can't hold.
2. A query becomes a disjunction of **parts** (`parts.py`), each some keys that must be there and some that must not.
3. The **index** (`index.py`) files each part under one of its keys, the one with the fewest parts so far. Looking
   up is `table.keys() & keys`, a loop in C over the smaller of both.
4. Each distinct query is in the index once. Its **followers** (`followers.py`) are numbers in a compact array.
"""

from bot.matching.matcher import Matcher
from bot.matching.subscribers import Match

__all__ = ["Match", "Matcher"]

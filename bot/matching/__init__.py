"""Finds the subscriptions that a paper matches, among a million of them, in a few milliseconds.

How it works:

1. A paper becomes a set of some 2,000 **keys** (`keys.py`): its words, runs of up to four of them, prefixes of words,
   `author:…`, `cat:…`, and its signals, `min:1` to `min:42`. Nearly every term of the language matches exactly
   if its key is in this set. The few others are *derived*: they are evaluated only if a key is present without which
   they can't match.
2. A query becomes a disjunction of **conjunctions** (`normal_form.py`), each with keys that must be present and keys
   that must be absent.
3. The **index** (`index.py`) files each conjunction under one of its keys, the one with the fewest entries so far. A
   look-up is `table.keys() & keys`, a loop in C over the smaller of the two.
4. Each distinct query is in the index once. Its **subscribers** (`subscribers.py`) are integers in a compact array.
"""

from bot.matching.matcher import Matcher
from bot.matching.subscribers import Match

__all__ = ["Match", "Matcher"]

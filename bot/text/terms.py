"""The terms by which texts are compared: words and pairs of adjacent words, without stop words."""

from collections.abc import Iterable
from itertools import pairwise

from bot.text.words import Token, tokens

STOP_WORDS = frozenset({
    "a", "about", "above", "across", "after", "again", "against", "all", "also", "although", "am", "among",
    "an", "and", "another", "any", "anyone", "are", "as", "at", "be", "because", "been", "before", "being",
    "below", "between", "both", "but", "by", "can", "cannot", "could", "did", "do", "does", "doing", "done",
    "during", "each", "either", "else", "ever", "every", "few", "for", "from", "further", "had", "has", "have",
    "having", "he", "her", "here", "him", "his", "how", "however", "i", "if", "in", "into", "is", "it", "its",
    "itself", "just", "may", "me", "might", "more", "most", "much", "must", "my", "neither", "no", "nor", "not",
    "now", "of", "off", "often", "on", "once", "one", "only", "or", "other", "our", "out", "over", "own", "per",
    "quite", "rather", "really", "same", "she", "should", "since", "so", "some", "somehow", "something",
    "still", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "though", "through", "thus", "to", "together", "too", "toward", "towards", "under", "until", "up", "upon",
    "us", "use", "used", "uses", "using", "versus", "very", "via", "vs", "was", "we", "well", "were", "what",
    "when", "whenever", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with",
    "within", "without", "would", "yet", "you", "your",
})  # fmt: skip
"""Words that carry little meaning. A paper can be the right one without them."""


def terms(text: str) -> list[str]:
    """Return the words and the pairs of `text`, each as often as it occurs.

    >>> terms("Rewards for the process")
    ['reward', 'process', 'reward_process']
    """
    found = tokens(text)
    return [*significant_words(found), *pairs(found)]


def pairs(found: Iterable[Token]) -> list[str]:
    """Return every two adjacent words as one term, after removing stop words."""
    return [f"{first}_{second}" for first, second in pairwise(significant_words(found))]


def significant_words(found: Iterable[Token]) -> list[str]:
    """Return the words without stop words and without the joined forms of hyphenated words."""
    return [token.word for token in found if token.end - token.start == 1 and token.word not in STOP_WORDS]

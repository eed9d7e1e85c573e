"""Cleans the text of papers and queries, splits it into comparable words and sentences, and shortens it."""

from bot.text.core_sentence import core_sentence
from bot.text.plain import clean, clean_html
from bot.text.sentences import first_sentence, shorten, shorten_at_clause
from bot.text.words import Token, fold, small, spell, tokens

__all__ = [
    "Token", "clean", "clean_html", "core_sentence", "first_sentence", "fold", "shorten", "shorten_at_clause", "small",
    "spell", "tokens",
]  # fmt: skip

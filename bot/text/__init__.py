"""Text of papers and of queries: made plain, cut into words that compare, cut short without hurting words."""

from bot.text.plain import clean, clean_html
from bot.text.sentences import first_sentence, shorten
from bot.text.words import Token, fold, small, spell, tokens

__all__ = ["Token", "clean", "clean_html", "first_sentence", "fold", "shorten", "small", "spell", "tokens"]

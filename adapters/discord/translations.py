"""The commands' descriptions in other languages, for people whose Discord is set to one of them.

The keys are the English descriptions of the command table, with a capital letter, and the names in a message's menu. A
text without a translation stays English, so that a changed description is never translated wrongly.
"""

from collections.abc import Mapping

import discord
from discord import app_commands

GERMAN: Mapping[str, str] = {
    "New papers, in this channel": "Neue Paper, in diesem Kanal",
    "Post new papers that match a query here": "Neue Paper, die zu einer Suche passen, hier posten",
    "Stop a subscription": "Ein Abonnement beenden",
    "Show what this channel is subscribed to": "Zeigen, was dieser Kanal abonniert hat",
    "Find papers by words, authors, ids or links; only you see the results": "Paper suchen: Wörter, Autoren, Kennungen, Links; nur du siehst die Ergebnisse",
    "Find papers like one that you name by its id or link": "Paper finden, die einem ähneln (Kennung oder Link)",
    "Say why a paper was or was not posted here": "Sagen, warum ein Paper hier gepostet wurde oder nicht",
    "Don't post papers that match a query here": "Paper, die zu einer Suche passen, hier nicht posten",
    "End a mute; without a query, show all mutes": "Eine Stummschaltung beenden; ohne Suche alle zeigen",
    "Put a paper on your reading list, or on this channel's": "Ein Paper auf deine Leseliste oder die des Kanals setzen",
    "Show or search your reading list, or this channel's": "Deine Leseliste oder die des Kanals zeigen, auch durchsucht",
    "Show all commands, or one in detail": "Alle Befehle zeigen, oder einen genauer",
    "Words that all have to appear": "Wörter, die alle vorkommen müssen",
    "Its id, link or title": "Kennung, Link oder Titel",
    "Its number, like #3, or its query; or all": "Nummer wie #3, Suche, oder all",
    "How long, like 12h, 7d or 2w": "Wie lange, z. B. 12h, 7d oder 2w",
    "Keep posted cards up to date": "Gepostete Karten aktuell halten",
    "Papers in this message": "Paper in dieser Nachricht",
    "Save papers in this message": "Paper dieser Nachricht merken",
    "Similar papers": "Ähnliche Paper",
}
"""Descriptions of at most 100 characters; names in the menu of a message, which have 32."""
LANGUAGES: Mapping[discord.Locale, Mapping[str, str]] = {discord.Locale.german: GERMAN}


class Translations(app_commands.Translator):
    """Looks descriptions up. Names of typed commands aren't translated, because help and documentation use them."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the description in that language; None if there is none."""
        del context
        return LANGUAGES.get(locale, {}).get(string.message)

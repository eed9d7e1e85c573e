"""The commands' descriptions in other languages, for people whose Discord is set to one of them.

The keys are the English descriptions of the command table, with a capital letter. A description without a translation
stays English, so that a changed description is never translated wrongly.
"""

from collections.abc import Mapping

import discord
from discord import app_commands

GERMAN: Mapping[str, str] = {
    "New papers, in this channel": "Neue Paper, in diesem Kanal",
    "Post new papers that match a query here": "Neue Paper, die zu einer Suche passen, hier posten",
    "Stop a subscription": "Ein Abonnement beenden",
    "Show what this channel is subscribed to": "Zeigen, was dieser Kanal abonniert hat",
    "Find papers like one that you name by its id or link": "Paper finden, die einem ähneln (Kennung oder Link)",
    "Say why a paper was or was not posted here": "Sagen, warum ein Paper hier gepostet wurde oder nicht",
    "Keep what matches out of this channel": "Was passt, aus diesem Kanal heraushalten",
    "Let it in again; alone it shows what is muted": "Es wieder zulassen; allein zeigt es, was stumm ist",
    "Show the papers that you have saved": "Die Paper zeigen, die du dir gemerkt hast",
    "Show all of this, or more about one command": "All das zeigen, oder mehr zu einem Befehl",
    "Words, all of which must be there": "Wörter, die alle vorkommen müssen",
    "Its id, link or title": "Kennung, Link oder Titel",
    "Its number, as in #3, or its query": "Nummer wie in #3, oder die Suche",
}
LANGUAGES: Mapping[discord.Locale, Mapping[str, str]] = {discord.Locale.german: GERMAN}


class Translations(app_commands.Translator):
    """Looks descriptions up. Names aren't translated, because help and documentation use them."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The description in that language; None if there is none."""
        del context
        return LANGUAGES.get(locale, {}).get(string.message)

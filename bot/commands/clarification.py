"""Recognizes lines that aren't typed as a command needs them, and asks what is meant instead of guessing. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from bot.commands.option_forms import without_quoted
from bot.commands.other_names import other_name
from bot.commands.specs import CommandSpec
from bot.commands.table import find, shown
from bot.domain.errors import UserError

_POLITE = frozenset({
    "please", "pls", "plz", "bitte", "sudo", "hey", "hi", "hello", "ok", "can", "could", "would", "you",
    "i", "we", "want", "like", "to", "need", "let", "me", "us", "just", "how", "do", "does", "show",
    "display", "give", "zeig", "zeige", "zeigen", "muestra", "muéstrame", "mostrar", "montre", "montrez",
    "affiche", "moi", "quiero", "quisiera", "quero", "queria", "je", "veux", "voudrais", "vorrei", "möchte", "mostra", "mostre", "por", "favor", "la", "el", "los", "las", "le", "les", "meine",
    "meinen", "mein", "mis", "mes", "mir", "die", "der", "das", "the", "my", "our", "ich", "will",
})  # fmt: skip
"""Words before a command that only ask for it: `please subscribe rag`, `how do I unsubscribe`."""
_QUESTION = frozenset({"how", "does"})

_LEAD = re.compile(
    r"(?:(?:please|pls|plz|me|us) )*"
    r"(?:(?:to|about) |(?:(?:all|any|new|the|latest|recent) )*(?:papers?|articles?|research|news|updates?|everything|"
    r"anything|something|stuff) (?:about|on|in|of|for|from|by|with) |what['’]?s new (?:in|on|about) )(?=\S)",
    re.IGNORECASE,
)
"""Words before a subject that only phrase the wish: taken as a query, each would have to appear in a paper."""
_THANKS = re.compile(r"(?<=\S),? (?:please|pls|plz|bitte|thanks|thx)[.!?]?\Z|(?<=\w)\?\Z", re.IGNORECASE)

_UNITS = {"hour": "h", "day": "d", "week": "w", "month": "month"}
_UNIT = r"(hour|day|week|month)s?"
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


_EACH_DAY = (
    "daily|(?:every|each) day|täglich|jeden tag|quotidien(?:nement)?|chaque jour|tous les jours|diario|diariamente|"
    "cada día|todos los días|毎日|每天|매일"
)
_EACH_WEEK = (
    "weekly|(?:every|each) week|wöchentlich|jede woche|hebdomadaire|chaque semaine|semanal(?:mente)?|cada semana|"
    "毎週|每周|매주"
)


def _schedule(found: re.Match[str]) -> str:
    return "every:daily" if re.fullmatch(_EACH_DAY, found[0].strip(" ()"), re.IGNORECASE) else "every:weekly"


def _length(found: re.Match[str]) -> str:
    if found[1]:
        return f"for:{found[1].casefold()}"
    number, unit = found[2] or "1", _UNITS[(found[3] or found[4]).casefold()]
    return f"for:{int(number) * 30}d" if unit == "month" else f"for:{number}{unit}"


def _days(found: re.Match[str]) -> str:
    if found[1]:
        return f"days:{_DAYS[found[1].casefold()]}"
    return f"days:{int(found[2]) * _DAYS[found[3].casefold()]}" if found[2] else "days:1"


@dataclass(frozen=True, slots=True)
class _Form:
    """Words that mean an option or a field, and how that is typed."""

    commands: frozenset[str]
    pattern: re.Pattern[str]
    option: Callable[[re.Match[str]], str]


_SUBSCRIBE = frozenset({"subscribe", "preview"})
_FORMS: Sequence[_Form] = tuple(
    _Form(frozenset(commands), re.compile(pattern, re.IGNORECASE), option)
    for commands, pattern, option in (
        ({"subscribe"}, rf"(?<=\S) \(?(?:{_EACH_DAY}|{_EACH_WEEK})\)?\Z", _schedule),
        (_SUBSCRIBE, r"(?<!\S)top ?([0-9]{1,3})(?!\S)", lambda found: f"top:{found[1]}"),
        (
            _SUBSCRIBE,
            r"(?<!\S)(?:> ?=? ?|≥ ?|min )?([0-9]{1,5})\+? (?:upvotes|likes|votes)(?!\S)",
            lambda found: f"min:{found[1]}",
        ),
        ({"mute"}, rf"(?:(?<=\S) |\A)(?:for )?(?:([0-9]{{1,4}}[hdw])|([0-9]{{1,4}}) ?{_UNIT}|an? {_UNIT})\Z", _length),
        (
            {"search"},
            (r"(?<=\S) (?:(?:from |in |of )?(?:the )?(?:last|past|this) (day|week|month|year)|today|"
            r"(?:from |in )?(?:the )?(?:last|past) ([0-9]{1,3}) (day|week|month)s)\Z"),
            _days,
        ),
    )
)  # fmt: skip
_SINGLE = re.compile(r"(?<!\S)['‘’‚‹›`´]([^'‘’‚‹›`´]{1,100})['‘’‚‹›`´](?![^\s,)])")
_AUTHOR = re.compile(r"(?:[Aa]uthors?|[Bb]y) ((?:[^\W\d_a-z][\w.'’-]{0,40} ?){1,4})(?<! )")
"""A name after “author” without a colon: each of its words begins with a capital letter."""
_NEEDLESS = re.compile(r"(?<=\S) (?:forever|for ever|for good|until [^\s:]{1,20})\Z", re.IGNORECASE)
"""The end of a mute, in words."""
_SINCE = re.compile(r"(?<!\S)(?:since|year|before|after|until|date):\S*", re.IGNORECASE)


def ask_what_is_meant(spec: CommandSpec, text: str) -> None:
    """Raises UserError for a query with words that probably aren't search terms; its hint is the likely line."""
    if spec.name in _SUBSCRIBE | {"mute"}:
        _refuse_single_quotes(spec, text)
        _refuse_author(spec, text)
    if spec.name in _SUBSCRIBE:
        _refuse_lead(spec, text)
        _refuse_number(spec, text)
    bare = without_quoted(text, "x")
    if spec.name in _SUBSCRIBE | {"search"} and (found := _SINCE.search(bare)):
        rest = " ".join(f"{text[: found.start()]}{text[found.end() :]}".split())
        raise UserError(
            f"“{found[0]}”: papers can't be chosen by date, but a search looks back as many days as you say.",
            hint=f"/paper search {rest} days:365",
        )
    if spec.name == "mute" and (found := _NEEDLESS.search(bare)):
        typed = "" if "for" in found[0].casefold() else " for:7d"
        ends = "A mute lasts until someone ends it" if not typed else "A mute's length is typed like for:7d"
        raise UserError(
            f"{ends}, so leave out “{found[0].strip()}”.", hint=f"/paper mute {text[: found.start()]}{typed}"
        )
    for form in _FORMS:
        if spec.name in form.commands and (found := form.pattern.search(bare)):
            typed = form.option(found)
            rest = " ".join(f"{text[: found.start()]} {text[found.end() :]}".split())
            rest = rest if rest or typed[:4] in {"top:", "min:"} else spec.example.split()[1]
            words = found[0].strip()
            raise UserError(
                f"Did you mean {typed}? {_in_quotes(words)}",
                hint=f"/paper {spec.name} {rest} {typed}".replace("  ", " "),
            )


def without_lead(text: str) -> str:
    """Return `text` without the words that only phrase a wish: `papers about rag please` is about rag."""
    lead = _LEAD.match(text)
    return _THANKS.sub("", text[lead.end() :] if lead else text)


def meant_by_unknown(name: str, rest: str) -> str:
    """Return the likely meaning of a line without a known command, such as `please subscribe rag`; "" if unclear."""
    words = [name, *rest.split()]
    last = find(other_name(words[-1]) or "")
    if last is not None and len(words) > 2 and name.casefold() in _POLITE:  # in German the verb comes last
        subject_words = dropwhile(lambda word: word.casefold() in _POLITE, words[:-1])
        return f"/paper {with_rest(last, ' '.join(subject_words))}"
    for index, word in enumerate(words[1:], 1):
        if words[index - 1].casefold() not in _POLITE:
            return ""
        spec = find(word) or find(other_name(word) or "")
        if spec is not None and word.casefold() not in _POLITE:
            if name.casefold() in _QUESTION:
                return f"/paper help {spec.name}"
            subject = " ".join(words[index + 1 :])
            foreign = find(word) is None
            return f"/paper {with_rest(spec, without_preposition(subject) if foreign else subject)}"
    return ""


def without_preposition(rest: str) -> str:
    """Return what follows a foreign command, without the preposition: `suscribirse a robots`."""
    return _TO.sub("", rest, count=1)


def with_rest(spec: CommandSpec, rest: str) -> str:
    """Return the command with the rest of a line, if it takes any."""
    takes = spec.free is not None or (":" in rest and any(not option.hidden for option in spec.named))
    return f"{spec.name} {rest if takes else ''}".rstrip()


_SOME_NUMBER = re.compile(r"(?<!\S)#[0-9]{1,4}(?!\S)")
_TO = re.compile(
    r"\A(?:to|a|à|au|aux|al|en|em|an|auf|zu|für|para|por|pour|sur|su|o|na) (?=\S)", re.IGNORECASE
)
"""A preposition between a foreign command and its subject: `suscribirse a robots`."""
_NUMBERED = re.compile(r"(#?[0-9]{1,9}) [a-z]{1,20}:\S+")


def refuse_options_of_others(spec: CommandSpec, text: str) -> None:
    """Raises UserError for an option of another command that was typed into a query: `subscribe rag days:7`."""
    if spec.name not in _SUBSCRIBE | {"mute"}:
        return
    bare = without_quoted(text)
    own = {option.name for option in spec.options}
    if spec.name == "preview" and (found := _NUMBERED.fullmatch(bare)):
        raise UserError("A preview takes no options.", hint=f"/paper {spec.name} {found[1]}")
    search = next(one for one in shown() if one.name == "search")
    for option in search.named:
        if option.name in own or option.hidden:
            continue
        if re.search(rf"(?<!\S){option.name}:\S", bare, re.IGNORECASE):
            raise UserError(
                f"“{option.name}:” is an option of search, not a part of a query.",
                hint=f"/paper search {text}",
            )


def _refuse_lead(spec: CommandSpec, text: str) -> None:
    subject = without_lead(text)
    if subject in {text, ""}:
        return
    by_author = re.search(r"\bby \Z", text[: text.find(subject)], re.IGNORECASE)
    hint = f'author:"{subject}"' if by_author and '"' not in subject else subject
    extra = " ".join(text.replace(subject, " … ", 1).split()).strip("… ")
    raise UserError(
        f"Each word has to appear in a paper, “{extra}” too. Leave it out, or put it in quotes.",
        hint=f"/paper {spec.name} {hint}",
    )


def _refuse_single_quotes(spec: CommandSpec, text: str) -> None:
    """Raises UserError for a phrase in single quotes: an apostrophe can be in any word, so only double quotes work."""
    bare = without_quoted(text, "x")
    if any(" " in found[1].strip() for found in _SINGLE.finditer(bare)):
        hint = _SINGLE.sub(r'"\1"', text)
        raise UserError("A phrase needs double quotes.", hint=f"/paper {spec.name} {hint}")


def _refuse_number(spec: CommandSpec, text: str) -> None:
    bare = without_quoted(text, "x")
    if (found := _SOME_NUMBER.search(bare)) and found[0] != text:
        rest = " ".join(f"{text[: found.start()]} {text[found.end() :]}".split())
        raise UserError(
            f"{found[0]} is the number of a subscription, not a word.", hint=f"/paper {spec.name} {rest}"
        )


def _refuse_author(spec: CommandSpec, text: str) -> None:
    if found := _AUTHOR.fullmatch(text):
        name = f'"{found[1]}"' if " " in found[1] else found[1]
        raise UserError(
            f"For papers by {found[1]}, type author:{name}. {_in_quotes(text)}",
            hint=f"/paper {spec.name} author:{name}",
        )


def _in_quotes(words: str) -> str:
    return (
        f"If “{words}” are words to look for, put them in quotes."
        if " " in words
        else f"If “{words}” is a word to look for, put it in quotes."
    )

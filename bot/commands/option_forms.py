"""Options as other programs write them: `every=daily`, `--every daily`, `-every:daily`, `rag,every:daily`. Pure."""

import re
from functools import cache

from bot.commands.specs import CommandSpec
from bot.commands.table import shown
from bot.domain.errors import UserError
from bot.query.terms import FIELDS

QUOTED = r"[\"“”„‟«»＂][^\"“”„‟«»＂]*[\"“”„‟«»＂]"
"""Text in quotes of any kind: phones type curly ones."""


def without_quoted(text: str, fill: str = " ") -> str:
    """Return `text` with `fill` for each quoted character: positions stay the same, and no quoted word is found."""
    return re.sub(QUOTED, lambda quoted: fill * len(quoted[0]), text)


def usual_form(text: str) -> str:
    """Return the text with each option as `name:value`, between spaces."""
    return " ".join(_unusual().sub(_rewritten, text).split()) if _unusual().search(text) else text


def refuse_unusual(spec: CommandSpec, text: str) -> None:
    """Raises UserError for an option in another program's form; its hint is the line in our form."""
    found = next((match for match in _unusual().finditer(text) if match["value"]), None)
    if found is not None:
        option = _rewritten(found).strip()
        raise UserError(f"Options are typed like {option}.", hint=f"/paper {spec.name} {usual_form(text)}")


def _rewritten(match: re.Match[str]) -> str:
    if not match["value"]:  # in quotes
        return match[0]
    name = next(filter(None, match.group("long", "short", "equal", "glued")))
    return f" {name.lower()}:{match['value']}"


@cache
def _unusual() -> re.Pattern[str]:
    options = {option.name for spec in shown() for option in spec.named if option.name != "sure"}
    names = "|".join(sorted(map(re.escape, options)))
    everything = "|".join(sorted(map(re.escape, options | set(FIELDS) | {"min", "top", "code"})))
    value = r"(?P<value>[^\s,]++)"
    dashed = rf"(?<!\S)(?:--|—|/)(?P<long>{names})(?:\s*+[:=]\s*+|\s++)(?=[^\s,-])"
    excluded = rf"(?<!\S)[-–](?P<short>{names})[:=](?=[^\s,])"
    equal = rf"(?<!\S)(?P<equal>{everything})=(?=[^\s,=])"
    glued = rf"(?<=\w),(?P<glued>{names}):(?=[^\s,])"
    return re.compile(
        rf"{QUOTED}|(?:{dashed}|{excluded}|{equal}|{glued}){value}",
        re.IGNORECASE,
    )

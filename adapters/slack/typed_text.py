"""What Slack makes of a typed line, undone: links and names in angle brackets, escaped signs, a mention of the bot."""

import re

_MARK = re.compile(r"<([^<>]*)>")
"""A link or a name: `<https://arxiv.org|arxiv.org>`, `<@U123|ada>`, `<#C123|papers>`, `<!here>`."""
_TO_THE_BOT = re.compile(r"(?:^@paperboy(?=\s|$))|(?:(?<=\s)@paperboy$)", re.IGNORECASE)


def as_typed(text: str, bot_user: str, longest: int) -> str:
    """The line as a person typed it, without a mention of the bot before or after it.

    More than `longest` characters are not looked at: such a line is refused as it is.
    """
    if len(text) > longest:
        return text
    plain = _MARK.sub(lambda mark: _plain(mark[1], bot_user), text)
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _TO_THE_BOT.sub("", plain.strip()).strip()


def _plain(mark: str, bot_user: str) -> str:
    target, _, label = mark.partition("|")
    if bot_user and target == f"@{bot_user}":
        return ""
    if target.startswith(("@", "#", "!")):
        return label
    scheme, colon, address = target.partition(":")
    if not colon:
        return f"<{mark}>"
    # Slack makes links of addresses that were typed without a scheme: `cs.CL` arrives as `<http://cs.CL|cs.CL>`.
    typed = label and label == (address.removeprefix("//") if scheme in {"http", "https"} else address)
    return label if typed else target

"""Links to code in a comment or abstract."""

import re

MAX_TEXT = 4000
"""Characters that are looked at."""
_REPOSITORY = re.compile(
    r"(?<![\w.-])(?:https?://)?(?:www\.)?(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/([\w.-]{1,60})/([\w.-]{1,100})",
    re.IGNORECASE | re.ASCII,
)
_NO_OWNERS = frozenset(
    [
        "orgs",
        "topics",
        "features",
        "sponsors",
        "search",
        "collections",
        "marketplace",
        "settings",
        "apps",
        "about",
    ]
)


def code_link(text: str) -> str | None:
    """The address of the first repository that the text names; None if it names none."""
    for host, owner, name in _REPOSITORY.findall(text[:MAX_TEXT]):
        repository = name.rstrip(".-_").removesuffix(".git")
        if owner.casefold() not in _NO_OWNERS and repository:
            return f"https://{host.lower()}/{owner}/{repository}"
    return None

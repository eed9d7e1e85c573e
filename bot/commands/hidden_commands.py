"""Commands that only buttons and the menus of messages send. They can be typed, but no help lists them."""

from bot.commands.specs import EXPORT, PAGE, QUERY_OR_NUMBER, CommandSpec, OptionSpec

_PAPER = OptionSpec(name="paper", help="its id", kind="text", free=True, required=True)
_PAPERS = OptionSpec(name="papers", help="their ids or links, among other words", kind="text", free=True)

HIDDEN: tuple[CommandSpec, ...] = (
    CommandSpec(
        name="show",
        aliases=("paper", "info"),
        summary="show a paper that you name by its id or any link",
        example="show https://arxiv.org/abs/2405.01234",
        options=(
            OptionSpec(name="paper", help="its id or any link", kind="text", free=True, required=True),
            OptionSpec(
                name="detail",
                help="the whole abstract, or a sentence",
                kind="choice",
                choices=("compact", "full"),
                hidden=True,
            ),
        ),
        anywhere=True,
        hidden=True,
    ),
    CommandSpec(
        name="zotero",
        summary="send your reading list to your Zotero library",
        example="zotero",
        options=(
            OptionSpec(name="what", help="off deletes your key", kind="text", free=True),
            OptionSpec(name="key", help="a key that may write to your library", kind="text"),
        ),
        anywhere=True,
        hidden=True,
    ),
    CommandSpec(
        name="papers",
        summary="show the papers that a message names",
        example="papers arxiv.org/abs/2405.01234 and arxiv.org/abs/2405.01235",
        options=(_PAPERS,),
        anywhere=True,
        hidden=True,
        on_message="Papers in this message",
    ),
    CommandSpec(
        name="savepapers",
        summary="put the papers that a message names on your reading list",
        example="savepapers arxiv.org/abs/2405.01234 and arxiv.org/abs/2405.01235",
        options=(
            _PAPERS,
            OptionSpec(
                name="remove", help="take them off again", kind="choice", choices=("no", "yes"), hidden=True
            ),
        ),
        anywhere=True,
        hidden=True,
        on_message="Save papers in this message",
    ),
    CommandSpec(
        name="similarpapers",
        summary="find papers like the one that a message names",
        example="similarpapers arxiv.org/abs/2405.01234",
        options=(_PAPERS,),
        anywhere=True,
        hidden=True,
        on_message="Similar papers",
    ),
    CommandSpec(
        name="share",
        summary="show a paper to everyone in the channel",
        example="share 2405.01234",
        options=(_PAPER,),
        hidden=True,
    ),
    CommandSpec(
        name="abstract",
        summary="show a paper's whole abstract",
        example="abstract 2405.01234",
        options=(_PAPER,),
        anywhere=True,
        hidden=True,
    ),
    CommandSpec(
        name="up",
        summary="like a paper",
        example="up 2405.01234",
        options=(_PAPER,),
        hidden=True,
    ),
    CommandSpec(
        name="down",
        summary="dislike a paper",
        example="down 2405.01234",
        options=(_PAPER,),
        hidden=True,
    ),
    CommandSpec(
        name="narrow",
        summary="leave something out of a subscription",
        example="narrow #3 -survey",
        options=(
            OptionSpec(
                name="change",
                help="its number, then what to leave out",
                kind="text",
                free=True,
                required=True,
            ),
        ),
        changes=True,
        hidden=True,
    ),
    CommandSpec(
        name="widen",
        summary="restore a subscription's former query",
        example="widen #3",
        options=(
            OptionSpec(
                name="subscription", help=QUERY_OR_NUMBER, kind="subscription", free=True, required=True
            ),
        ),
        changes=True,
        hidden=True,
    ),
    CommandSpec(
        name="also",
        summary="match other words for a part of a subscription, too",
        example='also #3 rl OR "reinforcement learning"',
        options=(
            OptionSpec(
                name="change",
                help="its number, then the part of its query OR the other words",
                kind="text",
                free=True,
                required=True,
            ),
        ),
        changes=True,
        hidden=True,
    ),
    CommandSpec(
        name="mutewhat",
        summary="choose what about a paper to mute",
        example="mutewhat 2405.01234",
        options=(_PAPER,),
        hidden=True,
    ),
    CommandSpec(
        name="followwhat",
        summary="choose which author of a paper to follow",
        example="followwhat 2405.01234",
        options=(_PAPER,),
        hidden=True,
    ),
    CommandSpec(
        name="more",
        summary="show more papers of a digest",
        example="more digest@2026-11-24T08:00Z",
        options=(
            OptionSpec(name="digest", help="the digest's name", kind="text", free=True, required=True),
            EXPORT,
            PAGE,
        ),
        hidden=True,
    ),
)

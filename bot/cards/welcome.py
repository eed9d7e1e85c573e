"""What the terminal says about itself: how to begin, and why nothing comes."""

from bot.cards import Bullets, Card
from bot.cards.say import bold, code, dim, paragraph, text

CONNECT = (
    text(bold("Slack: "), "put ", code("SLACK_BOT_TOKEN"), " and ", code("SLACK_APP_TOKEN"),
         " into the environment or a file ", code(".env"), ", then start again."),
    text(bold("Discord: "), "put ", code("DISCORD_TOKEN"), " there, then start again."),
)  # fmt: skip


def welcome_card() -> Card:
    """The first lines of a terminal that is connected to nothing else."""
    return Card(
        "help",
        "Paperboy is running in this terminal. Try /paper subscribe diffusion",
        "Paperboy",
        (
            paragraph("This terminal is a channel. Papers that match its subscriptions appear here."),
            paragraph("Begin with ", code("/paper subscribe diffusion"), " or ", code("/paper trending"), "; ",
                      code("/paper help"), " shows the rest, ", code("exit"), " leaves."),
            Bullets(CONNECT),
        ),
    )  # fmt: skip


def unreachable_card() -> Card:
    """For when no upstream answers, and the sample takes their place."""
    message = "No source of papers can be reached now. Paperboy keeps trying."
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(bold(message)),
            paragraph(
                "Until then it shows a bundled sample of papers from May 2026, each marked ",
                dim("sample"),
                ".",
            ),
        ),
    )


def tour_card() -> Card:
    """Before the tour."""
    message = "A tour with a sample of real papers, offline. Nothing is kept."
    return Card("help", message, "A tour of Paperboy", (paragraph(message),))


def farewell_card() -> Card:
    """After the tour."""
    return Card(
        "help",
        "That was the tour. Next: paperboy run",
        "Now with the papers of today",
        (
            paragraph("Run ", code("paperboy run"), ", or ", code("make run"), ", and type ", code("/paper subscribe"),
                      " with what you care about."),
            Bullets(CONNECT),
        ),
    )  # fmt: skip

"""Cards of errors, which say what to type instead."""

import pytest
from inline_snapshot import snapshot

from bot.cards import Actions, Button, Card, Paragraph, Span
from bot.cards.errors import error_card, pointed
from bot.domain.errors import UserError


def test_an_error_marks_its_position_and_has_a_button() -> None:
    error = UserError("There is nothing after OR.", hint="/paper subscribe rag", at=(4, 6))
    assert error_card(error, "rag OR", Button("Subscribe to rag", "subscribe rag")) == snapshot(
        Card(
            kind="error",
            notice="There is nothing after OR.",
            blocks=(
                Paragraph(text=(Span(text="There is nothing after OR."),)),
                Paragraph(
                    text=(
                        Span(
                            text="""\
rag OR
    ^^\
""",
                            style="code",
                        ),
                    )
                ),
                Paragraph(text=(Span(text="Try "), Span(text="/paper subscribe rag", style="code"))),
                Actions(buttons=(Button(label="Subscribe to rag", command="subscribe rag"),)),
            ),
        )
    )


def test_a_hint_without_a_button_is_only_text() -> None:
    card = error_card(UserError("No.", hint="/paper unsubscribe <number>"))
    assert len(card.blocks) == 2


@pytest.mark.parametrize(
    ("typed", "at", "shown"),
    [
        ("rag OR", (4, 6), "rag OR\n    ^^"),
        ("rag OR", (6, 6), "rag OR\n      ^"),
        ("漢字 OR", (3, 5), "漢字 OR\n     ^^"),
        ("a\nb OR", (4, 6), "a b OR\n    ^^"),
        ("rag", (99, 120), "rag\n   ^"),
    ],
)
def test_carets_are_below_the_position_of_the_error(typed: str, at: tuple[int, int], shown: str) -> None:
    assert pointed(typed, at) == shown


def test_only_the_surroundings_of_the_error_are_shown_of_a_long_line() -> None:
    line, carets = pointed("x" * 200 + " OR " + "y" * 200, (201, 203)).split("\n")
    assert len(line) < 70
    assert line[carets.index("^") :][:2] == "OR"

"""HTML as plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import clean_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>We count <b>stars</b>.</p><p>Twice.</p>", "We count stars. Twice."),
        ("H<sub>2</sub>O &amp; CO<sub>2</sub>", "H₂O & CO₂"),
        ("a<br/>b<script>alert(1)</script>c", "a b c"),
        ("<style>p{}</style><div>x</div>", "x"),
        ("plain, with 3 < 4", "plain, with 3 < 4"),
        ('<img src=x onerror="alert(1)">seen', "seen"),
        ("<a href='https://evil.example'>click</a> here", "click here"),
    ],
)
def test_tags_are_removed_and_words_stay_separate(html: str, text: str) -> None:
    assert clean_html(html) == text


@given(st.text(alphabet="<>&;/ab\"'=!-[]?# \n"))
def test_any_html_is_accepted(html: str) -> None:
    assert clean_html(html) == " ".join(clean_html(html).split())

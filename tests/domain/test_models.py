"""The text form of a channel."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import ChannelRef


@given(st.tuples(st.text(), st.text(), st.text()))
def test_a_channel_survives_its_text_form(parts: tuple[str, str, str]) -> None:
    ref = ChannelRef(*parts)
    assert ChannelRef.parse(str(ref)) == ref

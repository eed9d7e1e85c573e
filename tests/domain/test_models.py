"""Values keep what they are given."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import ChannelRef


@given(st.tuples(st.text(), st.text(), st.text()))
def test_a_channels_text_form_is_its_identity(parts: tuple[str, str, str]) -> None:
    ref = ChannelRef(*parts)
    assert ChannelRef.parse(str(ref)) == ref

"""Sealed texts can be read only with a key, also after the keys were rotated."""

import pytest

from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor

OLD, NEW = "correct horse battery staple", "n" * 16


def test_a_sealed_text_can_be_opened_and_reveals_nothing() -> None:
    seal = Encryptor.of(OLD)
    sealed = seal.seal("xoxb-1")
    assert "xoxb" not in sealed
    assert sealed != seal.seal("xoxb-1")
    assert seal.unseal(sealed) == "xoxb-1"


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    sealed = Encryptor.of(OLD).seal("xoxb-1")
    both = Encryptor.of(f"{NEW}, {OLD}")
    assert both.unseal(sealed) == "xoxb-1"
    assert Encryptor.of(NEW).unseal(both.reseal(sealed)) == "xoxb-1"
    with pytest.raises(ConfigurationError, match="add the old key after"):
        Encryptor.of(NEW).unseal(sealed)


@pytest.mark.parametrize("setting", [None, "", ",", "short", f"{OLD},short"])
def test_a_missing_or_guessable_key_is_refused(setting: str | None) -> None:
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        Encryptor.of(setting)


def test_a_text_sealed_for_one_purpose_cannot_be_opened_for_another() -> None:
    stored, states = Encryptor.of(OLD), Encryptor.of(OLD).for_purpose("states")
    assert states.unseal(states.seal("x")) == "x"
    for one, other in ((stored, states), (states, stored), (states, stored.for_purpose("other"))):
        with pytest.raises(ConfigurationError):
            other.unseal(one.seal("x"))


def test_a_sealed_text_has_only_one_valid_spelling() -> None:
    seal = Encryptor.of(OLD)
    sealed = seal.seal("x")
    for other in (
        f"{sealed[:8]}!!!!{sealed[8:]}",
        sealed + "=",
        sealed.replace("=", ""),
        f" {sealed}",
        "é",
        "",
    ):
        with pytest.raises(ConfigurationError):
            seal.unseal(other)

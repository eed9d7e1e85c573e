"""What is sealed can be read with a key only, also after the keys were rotated."""

import pytest

from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor

OLD, NEW = "correct horse battery staple", "n" * 16


def test_a_sealed_text_comes_back_and_shows_nothing_of_itself() -> None:
    seal = Encryptor.of(OLD)
    sealed = seal.seal("xoxb-1")
    assert "xoxb" not in sealed
    assert sealed != seal.seal("xoxb-1")
    assert seal.unseal(sealed) == "xoxb-1"


def test_a_new_key_goes_first_and_the_old_one_still_reads() -> None:
    sealed = Encryptor.of(OLD).seal("xoxb-1")
    both = Encryptor.of(f"{NEW}, {OLD}")
    assert both.unseal(sealed) == "xoxb-1"
    assert Encryptor.of(NEW).unseal(both.reseal(sealed)) == "xoxb-1"
    with pytest.raises(ConfigurationError, match="put the former key behind"):
        Encryptor.of(NEW).unseal(sealed)


@pytest.mark.parametrize("setting", [None, "", ",", "short", f"{OLD},short"])
def test_a_key_that_is_missing_or_could_be_guessed_is_refused(setting: str | None) -> None:
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        Encryptor.of(setting)


def test_what_is_sealed_for_one_purpose_is_of_no_use_for_another() -> None:
    stored, states = Encryptor.of(OLD), Encryptor.of(OLD).for_purpose("states")
    assert states.unseal(states.seal("x")) == "x"
    for one, other in ((stored, states), (states, stored), (states, stored.for_purpose("other"))):
        with pytest.raises(ConfigurationError):
            other.unseal(one.seal("x"))


def test_a_sealed_text_has_one_spelling() -> None:
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

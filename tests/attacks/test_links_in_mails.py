"""Attacks on the running program by someone who has an old mail, or links that were made for something else."""

import re
from pathlib import Path

import pytest

from tests.adapters.email.test_program import mail
from tests.attacks.target import Target, sign_up, target


@pytest.mark.timeout(240)
async def test_a_link_does_one_thing_once_however_it_is_spelled(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        confirm, manage = await sign_up(program, "settings weekends:on", "subscribe robots every:now")
        await links_for_something_else(program, confirm, manage)
    async with target(tmp_path, ["Robots for victims"]) as program:
        posted = (await mail(program.mail_server, 1)).part("html")
        buttons = re.findall(r"http://127\.0\.0\.1:\d+(/email/act/[\w=-]+)", posted)
        assert len(buttons) >= 3
        done = [await used_once(program, button) for button in buttons]
        assert any(done)


async def links_for_something_else(program: Target, confirm: str, manage: str) -> None:
    for link_ in (confirm, manage):
        token = link_.rpartition("/")[2]
        for purpose in ("act", "confirm", "manage", "unsubscribe"):
            if f"/{purpose}/" not in link_:
                status, page = await program.post(f"/email/{purpose}/{token}", say="list")
                assert (status, "for something else" in page) == (400, True), purpose
        for changed in (token[:-1], token[:20], token.swapcase(), f"{token[:9]}!!!!{token[9:]}", "A" * 5000):
            assert (await program.post(f"/email/manage/{changed}", say="list"))[0] == 400


async def used_once(program: Target, button: str) -> bool:
    """Press a button of a mail. Returns whether no spelling of its link works again; links that only show may."""
    status, _ = await program.post(button)
    assert status == 200
    status, page = await program.post(button)
    head, _, token = button.rpartition("/")
    others = [f"{token}=", f"{token}==", f"{token[:9]}!!!!{token[9:]}", f"{token}....", f"{token}====AAAA"]
    others += [f"{token[:9]}%20%20%20%20{token[9:]}", f"{token[:9]}%0a%0a%0a%0a{token[9:]}"]
    statuses = {(await program.post(f"{head}/{other}"))[0] for other in others}
    assert statuses <= {200, 400}
    if status == 200:
        return False
    assert "already done" in page
    assert statuses == {400}
    return True

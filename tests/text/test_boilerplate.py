"""Publishers' boilerplate is separated from abstracts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.boilerplate import Notice, split_notices


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "Publication date: November 2026 Source: Journal of Examples, Volume 12 Author(s): Ann Poe, Ben Roe",
            Notice("", "Ann Poe, Ben Roe", "November 2026"),
        ),
        ("Publication date: Available online 25 November 2026 Source: Examples Author(s): A. Poe", Notice("", "A. Poe", "25 November 2026")),
        ("Publication date: 1 March 2027 Source: Examples, Volume 3, Part B", Notice("", "", "1 March 2027")),
        (
            "Nature, Published online: 25 November 2026; doi:10.1038/s41586-026-00001-2 Bees dance at night.",
            Notice("Bees dance at night.", "", "25 November 2026"),
        ),
        (
            "Nature Communications, Published online: 02 December 2026; doi:10.1038/s41467-026-1",
            Notice("", "", "02 December 2026"),
        ),
        (
            "Author(s): Ann B. Poe, Ben van Roe, and C. D. Moe The spin turns. [Phys. Rev. Lett. 131, 1] Published Fri Nov 27, 2026",
            Notice("The spin turns.", "Ann B. Poe, Ben van Roe, and C. D. Moe", "Fri Nov 27, 2026"),
        ),
        ("Science, Volume 390, Issue 6, Page 1-5, November 2026.", Notice("", "", "November 2026")),
        ("We count sheep. Published under CC BY 4.0.", Notice("We count sheep.")),
        ("We count sheep. Published under a CC BY-NC-ND 4.0 license.", Notice("We count sheep.")),
        (
            "We count sheep. This is an open access article under the CC BY license (http://creativecommons.org/licenses/by/4.0/).",
            Notice("We count sheep."),
        ),
        (
            "We count sheep. This article is licensed under a Creative Commons Attribution 4.0 International License.",
            Notice("We count sheep."),
        ),
        ("We count sheep. Distributed under the terms of the CC-BY 4.0 licence.", Notice("We count sheep.")),
        ("We count sheep. Published by Examples on behalf of the Society.", Notice("We count sheep.")),
        ("We count sheep. Copyright 2026 by the American Sheep Society.", Notice("We count sheep.")),
        ("© The Author(s) 2026. We count sheep.", Notice("We count sheep.")),
        ("Open Access. We count sheep.", Notice("We count sheep.")),
        ("Our code is published under CC BY 4.0.", Notice("Our code is published under CC BY 4.0.")),
        (
            "We count sheep. The data are published under CC BY 4.0.",
            Notice("We count sheep. The data are published under CC BY 4.0."),
        ),
        ("Examples of Care, EarlyView. We count sheep.", Notice("We count sheep.")),
        ("Volume 12, Issue 3, November 2026, Page 1-20 .", Notice("", "", "November 2026")),
        ("arXiv:2611.00001v1 Announce Type: new Abstract: We count.", Notice("We count.")),
        ("Abstract We count sheep.", Notice("We count sheep.")),
        ("Abstract: We count sheep. The post Sheep appeared first on Example Blog.", Notice("We count sheep.")),
        ("© 2026 Elsevier Ltd. All rights reserved.", Notice("")),
        ("Copyright © 2026 The Authors. Published by Examples. We count sheep.", Notice("We count sheep.")),
        ("We count sheep. © 2026 Elsevier B.V. All rights reserved.", Notice("We count sheep.")),
        ("We count sheep. This article is protected by copyright. All rights reserved.", Notice("We count sheep.")),
        ("We count sheep. Continue reading →", Notice("We count sheep.")),
        ("We count sheep. [Read more...]", Notice("We count sheep.")),
        ("Whom does © 2026 protect? We ask 20 sheep.", Notice("Whom does © 2026 protect? We ask 20 sheep.")),
        ("All rights reserved for sheep are lost.", Notice("All rights reserved for sheep are lost.")),
        ("Abstract reasoning is hard.", Notice("Abstract reasoning is hard.")),
        ("Summary statistics. They mislead.", Notice("Summary statistics. They mislead.")),
        ("Source code matters. Author(s): we.", Notice("Source code matters. Author(s): we.")),
        ("In November 2026, we published it online: no one came.", Notice("In November 2026, we published it online: no one came.")),
    ],
)  # fmt: skip
def test_boilerplate_is_separated_from_the_abstract(text: str, parts: Notice) -> None:
    assert split_notices(text) == parts


@given(st.text(alphabet="Abstract: Source Volume 1, Issue [Phys] Published. ") | st.text())
def test_each_part_is_a_piece_of_the_text(text: str) -> None:
    parts = split_notices(text)
    assert parts.abstract in text
    assert parts.authors in text
    assert parts.date in text

"""Names that mean the same organization."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.organizations import organization, organization_key


@pytest.mark.parametrize(
    "names",
    [
        ("Meta", "Meta AI", "FAIR", "AI at Meta", "facebook"),
        ("ByteDance Seed", "ByteDance-Seed", "bytedanceseed"),
        ("The University of Hong Kong", "University of Hong Kong", "HKU", "Hong Kong University"),
        ("Tsinghua University", "tsinghua", "THU"),
        ("University of Wisconsin - Madison", "UW-Madison"),
        ("Z.ai", "zai-org"),
        ("shanghai ailab ", "Shanghai AI Laboratory"),
        ("ETH Zürich", "ETH Zurich", "ETH Zuerich", "ETH-Zurich"),
        (
            "Meta",
            "Meta, Inc.",
            "Facebook AI Research (FAIR)",
            "FAIR, Meta",
            "Meta AI, FAIR",
            "Meta Platforms, Inc.",
        ),
        ("DeepMind", "Google DeepMind", "GoogleDeepMind", "DeepMind, Google", "Google DeepMind Ltd"),
        (
            "Tsinghua University",
            "Tsinghua Univ.",
            "清华大学",
            "Tsinghua University (THU)",
            "Tsinghua University, China",
        ),
        (
            "Ai2",
            "AI2",
            "Allen AI",
            "The Allen Institute for AI",
            "Allen Institute for Artificial Intelligence (AI2)",
        ),
        (
            "UC Berkeley",
            "U.C. Berkeley",
            "Univ. of California, Berkeley",
            "University of California - Berkeley",
        ),
        ("University of Texas at Austin", "UT Austin", "University of Texas, Austin"),
        ("University of Tübingen", "University of Tuebingen", "Uni Tübingen", "Universität Tübingen"),
        ("Huawei", "Huawei Technologies Co., Ltd.", "华为"),
        ("An Unknown University", "An Unknown Univ. (AUU), Japan"),
        ("Unknown Looms", "Unknown Looms, Inc.", "Unknown Looms GmbH"),
    ],
)
def test_names_of_one_organization_are_folded(names: tuple[str, ...]) -> None:
    assert len({organization_key(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DeepMind", "Google"),
        ("Qwen", "Alibaba"),
        ("National University of Singapore", "Seoul National University"),
        ("University of Hong Kong", "Chinese University of Hong Kong"),
        ("LMMs-Lab", "LMM Lab"),
        ("University of York", "York University"),
        ("Miami University", "University of Miami"),
        ("University of Washington", "Washington University in St. Louis"),
        ("Boston University", "Boston College"),
        ("University of California, Berkeley", "University of California, Davis"),
        ("MIT", "RMIT University"),
        ("ETH Zurich", "University of Zurich"),
        ("Penn", "Pennsylvania State University"),
        ("Meta", "MetaGPT"),
        ("Tencent", "Tencent Music"),
    ],
)
def test_different_organizations_are_not_folded(one: str, other: str) -> None:
    assert organization_key(one) != organization_key(other)


@given(st.text(max_size=40))
def test_folding_a_folded_name_changes_nothing(name: str) -> None:
    assert organization(organization(name)) == organization(name)
    assert organization_key(name.upper()) == organization_key(name.upper().casefold())

"""Long forms of acronyms, as texts explain them."""

import pytest

from bot.text.acronyms import acronyms


@pytest.mark.parametrize(
    ("text", "short", "words"),
    [
        ("We use reinforcement learning (RL).", "rl", "reinforcement learning"),
        ("Large Language Models (LLMs) are", "llm", "large language model"),
        ("retrieval-augmented generation (RAG)", "rag", "retrieval augmented generation"),
        ("mixture of experts (MoE; 2017)", "moe", "mixture of experts"),
        ("vision-language-action models (VLA)", "vla", "vision language action"),
        ("multi-modal large language models (MLLMs)", "mllm", "multi modal large language model"),
        ("reinforcement learning from human feedback (RLHF)", "rlhf", "reinforcement learning from human feedback"),
        ("state of the art (SOTA)", "sota", "state of the art"),
    ],
)  # fmt: skip
def test_an_acronym_stands_for_the_words_with_its_initials(text: str, short: str, words: str) -> None:
    assert list(acronyms(text)) == [(short, tuple(words.split()))]


@pytest.mark.parametrize(
    "text",
    [
        "(RL)",
        "We trained it (RL).",
        "See Figure (A).",
        "It is learning. Reinforcement (RL)",
        "a" * 5000,
        "(" * 5000,
    ],
)
def test_an_acronym_that_is_not_explained_is_ignored(text: str) -> None:
    assert list(acronyms(text)) == []

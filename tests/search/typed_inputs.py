"""Inputs that a person, a cat or another program could type into a search."""

from hypothesis import strategies as st

PIECES = (
    "diffusion policy", "fine-tuning LLMs", "Łukasz Kaiser", "et al.", "RAG", "C++", "a", "the of and", "日本語 論文",
    "👩‍🔬", "title:", "author:", "cat:cs.CL", "cat:", "min:3", "top:10", "code:yes", "id:2603.00001", "=ACE", "polic*", "*",
    '"', '"a phrase"', "“", "(", ")", "-", "-x", " - ", "NOT", "AND", "OR", ",", ":", "\\", "$x^2$", "$", "{", "%", "&amp;",
    "https://arxiv.org/abs/2603.00001", "10.1000/x", "doi:", "~aaaaaaaaaaaaaaaa", "\x00", "\u202e", "\ud800", "|", "_",
    "days:3", "x" * 300, "n't", "GPT-4o", "a-b-c-d-e-f-g-h-i-j", "0", "2^64", "18446744073709551616", "\n",
)  # fmt: skip

typed = st.one_of(
    st.text(max_size=120),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)

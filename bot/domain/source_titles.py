"""The display names of well-known sources."""

from collections.abc import Mapping

SOURCE_TITLES: Mapping[str, str] = {
    "arxiv": "arXiv",
    "huggingface": "Hugging Face",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}
"""Name that `source:` matches -> the name as its owner spells it."""

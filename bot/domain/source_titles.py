"""How the sources that people know are called."""

from collections.abc import Mapping

SOURCE_TITLES: Mapping[str, str] = {
    "arxiv": "arXiv",
    "huggingface": "Hugging Face",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
}
"""What `source:` matches -> the name as its owner writes it."""

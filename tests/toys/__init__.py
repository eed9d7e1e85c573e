"""A toy source and a toy platform, written as CONTRIBUTING.md says, for `tests/test_contributing.py` to add to a copy of the tree."""

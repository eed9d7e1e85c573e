"""A toy source and a toy platform as CONTRIBUTING.md describes; `tests/test_contributing.py` adds them to a copy."""

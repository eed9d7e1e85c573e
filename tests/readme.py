"""Write the command table into README.md: `python -m tests.readme`, also part of `make fix`."""

import re
from pathlib import Path

from bot.commands.table import markdown

README = Path(__file__).resolve().parents[1] / "README.md"
TABLE = re.compile(r"^\| command \| does \|\n(?:\|.*\n)+", re.MULTILINE)

if __name__ == "__main__":
    before = README.read_text("utf-8")
    after = TABLE.sub(lambda _: markdown() + "\n", before)
    if after != before:
        README.write_text(after, "utf-8")

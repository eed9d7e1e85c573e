"""Slack's limits, from its Block Kit and Web API references (docs.slack.dev, checked with slack_sdk 3.47).

Each is a maximum.
"""

BLOCKS = 50
"""Blocks of a message."""
VIEW_BLOCKS = 100
"""Blocks of a modal or App Home."""
MESSAGE = 13_200
"""Characters of all blocks together; for more, Slack answers `msg_blocks_too_long`. Observed, not documented."""
TEXT = 4000
"""Characters of a message's top-level text."""
PLAIN_TEXT = 3000
"""Characters of a section, of an element of a context block, and of a text input."""
HEADER = 150
"""Characters of a header."""
BUTTON = 75
"""Characters of a button's label."""
BUTTON_VALUE = 2000
"""Characters of a button's value."""
ACTIONS = 25
"""Elements of an actions block."""
OVERFLOW = 5
"""Options of an overflow menu."""
OPTION = 75
"""Characters of an option's label."""
OPTION_VALUE = 150
"""Characters of an option's value."""
OPTIONS = 100
"""Options of a select menu."""
ALT_TEXT = 2000
"""Characters of a picture's description."""
LABEL = 2000
"""Characters of an input's label, and of its hint."""
VIEW_TITLE = 24
"""Characters of a modal's title, and of the labels of its submit and close buttons."""

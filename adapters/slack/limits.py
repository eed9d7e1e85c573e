"""What Slack allows, as its Block Kit and Web API references say (docs.slack.dev, checked with slack_sdk 3.47)."""

BLOCKS = 50
"""Of a message."""
VIEW_BLOCKS = 100
"""Of a modal or App Home."""
MESSAGE = 13_200
"""Characters of all blocks together; beyond it is `msg_blocks_too_long`. Seen, not documented."""
TEXT = 4000
"""Of a message's top-level text, which notifications show."""
PLAIN_TEXT = 3000
HEADER = 150
BUTTON = 75
BUTTON_VALUE = 2000
ACTIONS = 25
OVERFLOW = 5
OPTION = 75
OPTION_VALUE = 150
OPTIONS = 100
URL = 3000
ALT_TEXT = 2000
LABEL = 2000
VIEW_TITLE = 24
"""Also of the words on a modal's own buttons."""

"""Write `deploy/slack-manifest*.yaml` from `adapters/slack/manifest.py`, for `make manifests`."""

from pathlib import Path
from typing import Literal

import yaml

from adapters.slack.manifest import manifest

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
FILES = {"socket": "slack-manifest.yaml", "http": "slack-manifest-http.yaml"}
HEADS = {
    "socket": "# A Slack app for one workspace, in Socket Mode: no public address is needed.\n"
    "# Paste this at https://api.slack.com/apps > Create New App > From a manifest.\n",
    "http": "# A Slack app that many workspaces can install. Slack calls it over HTTPS: replace paperboy.example.com with your\n"
    "# address, then paste this at https://api.slack.com/apps > Create New App > From a manifest.\n",
}
SCOPES = (
    "# Optional scopes; the person who installs the app can decline them:\n"
    "# - channels:history and groups:history let Paperboy look up a post whose answer was lost; it reads nothing else.\n"
    "#   channels:join lets it join a public channel when someone subscribes there, which such a look-up needs.\n"
    "#   Without these scopes, a post whose answer was lost is held for the operator.\n"
    "# - im:history and im:write do the same for direct messages. files:write sends people the files of their exports.\n"
    "# - links:read and links:write show a small card below a link to a paper. Slack sends Paperboy only the links, never the\n"
    "#   message, and only for the domains of unfurl_domains. An app can have five, and these have most links to papers.\n"
    "#   You can replace one with medrxiv.org or doi.org; a change of domains needs a new installation.\n"
)


def text(mode: Literal["socket", "http"]) -> str:
    """Return the expected content of a file."""
    return HEADS[mode] + SCOPES + yaml.safe_dump(manifest(mode), sort_keys=False, width=120)


def main() -> None:
    """Write both files."""
    modes: tuple[Literal["socket", "http"], ...] = ("socket", "http")
    for mode in modes:
        (DEPLOY / FILES[mode]).write_text(text(mode))


if __name__ == "__main__":
    main()

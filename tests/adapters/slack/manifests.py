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
    "http": "# A Slack app that many workspaces can install. Slack calls it over HTTPS: replace paperboy.example.com with\n"
    "# your own address, then paste this at https://api.slack.com/apps > Create New App > From a manifest.\n",
}
SCOPES = (
    "# channels:history and groups:history let Paperboy look up a post whose answer was lost; it reads nothing else.\n"
    "# channels:join lets it join a public channel when someone subscribes there, which the lookup requires. All\n"
    "# three are optional: without them, such a post is held for the operator.\n"
    "# files:write lets it send exports as files; im:history and im:write let it look up direct messages whose answer\n"
    "# was lost. These are optional, too.\n"
    "# links:read and links:write let it show a small card below a link to a paper; these are optional, too. Slack\n"
    "# sends it only such links, never the message, and only for the five domains in unfurl_domains, the most that an\n"
    "# app may have. Most links to papers lead there: arxiv.org (with its subdomains, such as export.arxiv.org),\n"
    "# huggingface.co, openreview.net, biorxiv.org and alphaxiv.org. medrxiv.org would be the sixth, and has the\n"
    "# fewest papers. You can replace a domain that your people don't use with medrxiv.org or doi.org: every link to\n"
    "# a paper gets a card. After a change of domains, reinstall the app.\n"
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

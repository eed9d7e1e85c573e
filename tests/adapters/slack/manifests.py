"""Writes `deploy/slack-manifest*.yaml` as `adapters/slack/manifest.py` says it: `make manifests`."""

from pathlib import Path
from typing import Literal

import yaml

from adapters.slack.manifest import manifest

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
FILES = {"socket": "slack-manifest.yaml", "http": "slack-manifest-http.yaml"}
HEADS = {
    "socket": "# A Slack app for one workspace, in Socket Mode: no public address is needed.\n"
    "# Paste this at https://api.slack.com/apps > Create New App > From a manifest.\n",
    "http": "# A Slack app that many workspaces can install. It is called over HTTPS: put your own address in the\n"
    "# place of paperboy.example.com, then paste this at https://api.slack.com/apps > Create New App > From a manifest.\n",
}
SCOPES = (
    "# channels:history and groups:history let Paperboy look up a post whose answer was lost; nothing else is read.\n"
    "# channels:join lets it join a public channel that someone subscribes, which looking up needs. All three are\n"
    "# optional: without them such a post is held for the operator.\n"
    "# files:write lets it send a person the file of an export, im:history and im:write look up its direct messages, whose\n"
    "# answer was lost; all optional, too.\n"
    "# links:read and links:write let it show a small card below a link to a paper; optional, too. Slack sends it such links\n"
    "# alone, never the message, and for the five domains of unfurl_domains only, which is as many as an app may have. These are\n"
    "# where most links to papers lead: arxiv.org (with export.arxiv.org and the like), huggingface.co, openreview.net,\n"
    "# biorxiv.org and alphaxiv.org. medrxiv.org would be the sixth, and has the fewest papers. Put it, or doi.org, in the place\n"
    "# of one that your people don't use: every link to a paper is answered. A change of domains needs a new installation.\n"
)


def text(mode: Literal["socket", "http"]) -> str:
    """The expected content of a file."""
    return HEADS[mode] + SCOPES + yaml.safe_dump(manifest(mode), sort_keys=False, width=120)


def main() -> None:
    """Write both files."""
    modes: tuple[Literal["socket", "http"], ...] = ("socket", "http")
    for mode in modes:
        (DEPLOY / FILES[mode]).write_text(text(mode))


if __name__ == "__main__":
    main()

"""Installing the app into a workspace, by a browser. Bolt makes the pages; here is what is kept of it."""

from urllib.parse import urljoin

from redis.asyncio import Redis
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.api import QUIET, Api
from adapters.slack.http import INSTALL, REDIRECT
from adapters.slack.installations import STATE_LIVES, RedisInstallationStore, RedisStateStore
from adapters.slack.lifecycle import Lifecycle
from adapters.slack.manifest import SCOPES
from adapters.slack.tokens import URL, Access, identify
from adapters.slack.ways import Way


class Flow(AsyncOAuthFlow):
    """Bolt's flow, that also notes the workspace's address, and lets what was paused go on."""

    def __init__(self, *, api: Api, settings: AsyncOAuthSettings, lifecycle: Lifecycle) -> None:
        super().__init__(client=api.posting(None), logger=QUIET, settings=settings)
        self._api = api
        self._lifecycle = lifecycle

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Keep it, sealed."""
        token = str(installation.bot_token)
        url = (await identify(self._api, token)).get("url") or ""
        installation.set_custom_value(URL, url)
        await super().store_installation(request, installation)
        home = installation.team_id or installation.enterprise_id or ""
        await self._lifecycle.installed(
            Access(home, token, installation.bot_user_id or "", url, installation.user_id or "")
        )


def oauth_flow(
    way: Way, api: Api, redis: Redis, store: RedisInstallationStore, lifecycle: Lifecycle
) -> AsyncOAuthFlow:
    """The pages under /slack/install."""
    settings = AsyncOAuthSettings(
        client_id=way.client_id,
        client_secret=way.client_secret,
        scopes=SCOPES,
        user_scopes=[],
        redirect_uri=f"{way.public_url}{REDIRECT}" if way.public_url else None,
        install_path=INSTALL,
        redirect_uri_path=REDIRECT,
        authorization_url=urljoin(api.url, "../oauth/v2/authorize"),
        installation_store=store,
        state_store=RedisStateStore(redis),
        state_expiration_seconds=STATE_LIVES,
        logger=QUIET,
    )
    return Flow(api=api, settings=settings, lifecycle=lifecycle)

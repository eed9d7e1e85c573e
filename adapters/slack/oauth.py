"""Installation of the app into a workspace, in a browser. Bolt makes the pages; we decide what is stored."""

from urllib.parse import urljoin

from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.api import SDK_LOGGER, Api
from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.http import INSTALL, REDIRECT
from adapters.slack.installations import STATE_LIFE, OneTimeStates, RedisInstallationStore
from adapters.slack.lifecycle import Lifecycle
from adapters.slack.manifest import SCOPES
from adapters.slack.outcomes import CALL_ERRORS, code_of
from adapters.slack.tokens import URL, WorkspaceAccess, identify
from bot.domain.errors import SendError

ORGANIZATION = (
    "Paperboy can't be installed for a whole Enterprise organization: it would not know which workspace a channel "
    "belongs to. Choose one workspace at the top of Slack's page, and install it there."
)
SLACK_IS_AWAY = "Slack did not confirm the installation. Please start again in a minute."


class OrganizationWide(Exception):
    """The app was installed for a whole Enterprise organization."""


class InstallFlow(AsyncOAuthFlow):
    """Bolt's flow. It also stores the workspace's address, and resumes what was paused in the workspace."""

    def __init__(self, *, api: Api, settings: AsyncOAuthSettings, lifecycle: Lifecycle) -> None:
        super().__init__(client=api.posting(None), logger=SDK_LOGGER, settings=settings)
        self._api = api
        self._lifecycle = lifecycle

    async def handle_callback(self, request: AsyncBoltRequest) -> BoltResponse:
        """Finish an installation, with a page that says how it went."""
        try:
            return await super().handle_callback(request)
        except OrganizationWide:
            return BoltResponse(status=400, body=ORGANIZATION)
        except (SendError, *CALL_ERRORS) as error:
            SDK_LOGGER.error("installation failed: %s", code_of(error) or type(error).__name__)
            return BoltResponse(status=503, body=SLACK_IS_AWAY)

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Store the installation, encrypted. Raises OrganizationWide."""
        if installation.is_enterprise_install or not installation.team_id:
            raise OrganizationWide
        token = str(installation.bot_token)
        url = (await identify(self._api, token)).get("url") or ""
        installation.set_custom_value(URL, url)
        await super().store_installation(request, installation)
        await self._lifecycle.installed(
            WorkspaceAccess(
                installation.team_id,
                token,
                installation.bot_user_id or "",
                url,
                installation.user_id or "",
            )
        )


def oauth_flow(
    mode: ConnectionMode, api: Api, store: RedisInstallationStore, states: OneTimeStates, lifecycle: Lifecycle
) -> InstallFlow:
    """Build the pages under /slack/install."""
    settings = AsyncOAuthSettings(
        client_id=mode.client_id,
        client_secret=mode.client_secret,
        scopes=SCOPES,
        user_scopes=[],
        redirect_uri=f"{mode.public_url}{REDIRECT}" if mode.public_url else None,
        install_path=INSTALL,
        redirect_uri_path=REDIRECT,
        authorization_url=urljoin(api.url, "../oauth/v2/authorize"),
        installation_store=store,
        state_store=states,
        state_expiration_seconds=STATE_LIFE,
        logger=SDK_LOGGER,
    )
    return InstallFlow(api=api, settings=settings, lifecycle=lifecycle)

"""OAuth: a person approves the app in a browser; the app exchanges the code for a token, and refreshes the token."""

from secrets import token_hex
from time import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tests.adapters.slack.double.world import Failed, Json, Token, World

if TYPE_CHECKING:
    from tests.adapters.slack.double.people import Person


class OAuth:
    """Installs the app."""

    def __init__(self, world: World) -> None:
        self._world = world

    def exchange(self, body: Json) -> Json:
        if (body.get("client_id"), body.get("client_secret")) != (
            self._world.app.client_id,
            self._world.app.client_secret,
        ):
            raise Failed(
                "bad_client_secret"
                if body.get("client_id") == self._world.app.client_id
                else "invalid_client_id"
            )
        if body.get("grant_type") == "refresh_token":
            return self._refreshed(str(body.get("refresh_token")))
        granted = self._world.codes.pop(str(body.get("code")), None)
        if granted is None:
            raise Failed("invalid_code")
        workspace = self._world.workspaces[granted["workspace"]]
        token = self._world.install(workspace, granted["user"], granted["scopes"])
        whole = granted["organization"]
        return self._issued(token) | {
            "app_id": self._world.app.id,
            "authed_user": {"id": granted["user"]},
            "team": None if whole else {"id": workspace.id, "name": workspace.name},
            "enterprise": {"id": "E0ORGANIZATION", "name": "org"} if whole else None,
            "is_enterprise_install": whole,
            "bot_user_id": workspace.bot_user,
        }

    def _refreshed(self, refresh: str) -> Json:
        old = self._world.refreshes.pop(refresh, None)
        if old is None or old.state != "good":
            raise Failed("invalid_refresh_token")
        workspace = self._world.workspaces[old.workspace]
        return self._issued(self._world.issue(old.workspace, old.scopes)) | {
            "app_id": self._world.app.id,
            "team": {"id": workspace.id, "name": workspace.name},
            "bot_user_id": workspace.bot_user,
        }

    def _issued(self, token: Token) -> Json:
        issued: Json = {
            "access_token": token.value,
            "token_type": "bot",
            "scope": ",".join(sorted(token.scopes)),
        }
        if token.refresh and token.expires_at:
            issued |= {"refresh_token": token.refresh, "expires_in": int(token.expires_at - time())}
        return issued

    def approve(
        self,
        address: str,
        person: "Person",
        scopes: frozenset[str] | None = None,
        *,
        organization: bool = False,
    ) -> Json:
        """Approve the request at `address` (…/oauth/v2/authorize?…). Return the query of the redirect."""
        query = dict(parse_qsl(address.partition("?")[2]))
        assert query["client_id"] == self._world.app.client_id, "another app's client_id"
        wanted = frozenset(query["scope"].split(","))
        assert wanted <= self._world.app.scopes, (
            f"scopes not in the manifest: {wanted - self._world.app.scopes}"
        )
        assert scopes is None or self._world.app.required <= scopes, "a required scope can't be declined"
        code = token_hex(10)
        self._world.codes[code] = {
            "workspace": person.workspace.id,
            "user": person.user,
            "scopes": wanted if scopes is None else scopes,
            "organization": organization,
        }
        return {"code": code, "state": query["state"]}

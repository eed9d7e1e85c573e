"""What operators and the front page are told of Slack."""

from redis.asyncio import Redis

from adapters.slack import build
from adapters.slack.http import INSTALL
from adapters.slack.platform import SlackPlatform
from bot.settings import Settings
from tests.adapters.slack.stage import slack_stage

OPEN_TO_ALL = {
    "SLACK_SIGNING_SECRET": "planted",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "planted",
    "PAPERBOY_SECRET_KEY": "long enough to be a key",
    "PORT": "8080",
}


async def test_it_is_connected_while_its_socket_is_open(redis: Redis) -> None:
    async with slack_stage(redis) as stage:
        (platform,) = stage.bot.platforms
        assert isinstance(platform, SlackPlatform)
        assert platform.connected()
        assert platform.invitation() is None  # an app of one workspace
        await stage.stop()
        assert not platform.connected()
        await stage.start()


async def test_any_workspace_may_install_an_app_that_is_open_to_all(redis: Redis) -> None:
    settings = Settings.model_validate(OPEN_TO_ALL | {"secret_key": OPEN_TO_ALL["PAPERBOY_SECRET_KEY"]})
    platform = build(settings, redis)
    assert isinstance(platform, SlackPlatform)
    assert platform.connected()
    assert platform.invitation() == INSTALL
    await platform.close()

"""Send test messages to the alert channels (`beatd alerts test`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.config_option import ConfigOption, as_json, takes_config
from beatd.cli.failure import EXIT_FAILED

if TYPE_CHECKING:
    from beatd.alerts.channel import Channel
    from beatd.config import Config


@click.group()
def command() -> None:
    """Try the channels to which messages about incidents are sent."""


@command.command("test")
@click.argument("url", required=False)
@as_json
@takes_config
def test(*, given: ConfigOption, url: str | None, json: bool) -> int:
    """Send a test message to each URL.

    URL is one of your choice, else all of the configuration's `alerts.to`. Prints a line for each,
    and ends with 1 if one was not delivered.

    \b
    beatd alerts test -c config.yaml
    beatd alerts test -c config.yaml https://example.com/hook
    """
    from socket import gethostname

    from beatd.alerts.channel import NotDelivered
    from beatd.alerts.message import test_message
    from beatd.cli.escapes import echo
    from beatd.clock import SystemClock

    config = given.load()
    message = test_message(SystemClock().now(), gethostname())
    results: list[dict[str, str | None]] = []
    for channel in _channels(config, url):
        error = None
        try:
            channel.send(message)
        except NotDelivered as reason:
            error = str(reason)
        results.append({"url": channel.shown, "error": error})
        if not json:
            echo(f"{channel.shown}: {'delivered' if error is None else error}")
    if json:
        from beatd.cli.output import print_json

        print_json(results)
    return EXIT_FAILED if any(one["error"] for one in results) else 0


def _channels(config: "Config", url: str | None) -> "list[Channel]":
    """Return the channel of `url`, or all channels of the configuration if `url` is None."""
    from beatd.config.values import Alerts
    from beatd.errors import ConfigError
    from beatd.wiring.alerting import channel_of

    alerts = config.alerts or Alerts()
    urls = (url,) if url is not None else alerts.to
    if not urls:
        text = "alerts.to has no URL; add one, or give it after `beatd alerts test`"
        raise ConfigError(text)
    return [channel_of(one, alerts.secret) for one in urls]

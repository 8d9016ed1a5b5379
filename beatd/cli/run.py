"""Run the daemon (`beatd run`, or `beatd -c FILE` without a command)."""

import os
import signal
from typing import TYPE_CHECKING

import click

from beatd.cli.config_option import ConfigOption, takes_config
from beatd.daemon.process_start import ProcessStart
from beatd.daemon.trial import TRIAL_LIMIT_S, TRIAL_OPTION

if TYPE_CHECKING:
    from beatd.daemon.service import Service

HELP = """Run the daemon.

SIGTERM or Ctrl-C ends it, and so does the end of the terminal in whose foreground it was started.
SIGHUP reads the configuration again. `beatd -c FILE` without a command does the same.
"""


@click.command(help=HELP)
@click.option("--shadow", is_flag=True, help="Compare with another scheduler, and send nothing.")
@click.option(TRIAL_OPTION, "trial", is_flag=True, hidden=True)
@takes_config
def command(given: ConfigOption, shadow: bool, trial: bool) -> int:
    if trial:
        return _try_configuration(given, shadow)
    start = ProcessStart()  # before a project is imported

    from beatd.daemon.idle_gc import IdleGc

    idle_gc = IdleGc()  # before the imports, which are faster without collections

    from beatd.config import make_folders
    from beatd.config.extras import missing_drivers
    from beatd.daemon.service import serve, set_up_log
    from beatd.errors import ConfigError, in_one_line
    from beatd.observers.systemd import SystemdObserver
    from beatd.schedules import zone
    from beatd.wiring.daemon_service import DaemonService

    systemd = SystemdObserver()

    def build() -> "Service":
        config = given.load()
        if missing := list(missing_drivers(config)):
            raise ConfigError(in_one_line(missing), missing)
        make_folders(config)
        set_up_log(config.log.level, config.log.format, zone(config.timezone))
        if shadow:
            from beatd.shadow.shadow import Shadow

            return Shadow(config, systemd)
        return DaemonService(config, systemd)

    return serve(build, systemd, idle_gc, start)


def _try_configuration(given: ConfigOption, shadow: bool) -> int:
    """Check that the daemon can start: load the configuration, and open its store and lock.

    Returns 0, or raises the first error. A running daemon starts this check as a process before it
    restarts. With `shadow`, store and lock are not opened.
    """
    from beatd.clock import SystemClock
    from beatd.config import make_folders
    from beatd.daemon.copied_store import opened
    from beatd.wiring.build import celery_app, parts_of

    # Ends this process if the daemon was killed, or if the import of an app hangs.
    signal.alarm(int(TRIAL_LIMIT_S) + 5)
    os.nice(10)  # the daemon that runs must not wait for this
    config = given.load()
    make_folders(config)
    app = celery_app(config)
    if not shadow:
        parts = parts_of(config, clock=SystemClock(), app=app)
        opened(parts.store, parts.timezone).place.close()
        parts.lease().close()
    return 0

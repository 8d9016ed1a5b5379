"""`beatd run`, and `beatd -c FILE` alone: the daemon."""

from typing import TYPE_CHECKING

import click

from beatd.cli.given import Given, takes_config

if TYPE_CHECKING:
    from beatd.service import Built as Runs


@click.command(help="Run the daemon until SIGTERM; SIGHUP reads the configuration again.")
@click.option("--shadow", is_flag=True, help="Beside another scheduler: compare, send nothing.")
@takes_config
def command(given: Given, shadow: bool) -> int:
    from beatd.garbage import IdleCollector

    idle = IdleCollector()  # before the imports that it shortens

    from beatd.building import Built
    from beatd.config import make_folders
    from beatd.config.extras import missing_drivers
    from beatd.errors import ConfigError
    from beatd.observers.systemd import SystemdObserver
    from beatd.problem import in_one_line
    from beatd.service import serve, write_log

    systemd = SystemdObserver()

    def build() -> "Runs":
        config = given.load()
        if missing := list(missing_drivers(config)):
            raise ConfigError(in_one_line(missing), missing)
        make_folders(config)
        write_log(config.log.level, config.log.format)
        if shadow:
            from beatd.shadow import Built as Shadow

            return Shadow(config, systemd)
        return Built(config, systemd)

    return serve(build, systemd, idle)

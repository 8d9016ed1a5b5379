"""`beatd run`, and `beatd -c FILE` alone: the daemon."""

import click

from beatd.cli.given import Given, takes_config


@click.command(help="Run the daemon until SIGTERM; SIGHUP reads the configuration again.")
@takes_config
def command(given: Given) -> int:
    from beatd.building import Built
    from beatd.config import make_folders
    from beatd.observers.systemd import SystemdObserver
    from beatd.service import serve, write_log

    systemd = SystemdObserver()

    def build() -> Built:
        config = given.load()
        make_folders(config)
        write_log(config.log.level, config.log.format)
        return Built(config, systemd)

    return serve(build, systemd)

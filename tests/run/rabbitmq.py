"""What a private RabbitMQ and its epmd, the register of Erlang's nodes, are started with."""

import os
from pathlib import Path


def environment(
    folder: Path,
    *,
    port: int,
    dist_port: int,
    epmd_port: int,
    ip: str = "127.0.0.1",
    config: str = "",
) -> dict[str, str]:
    """Return the environment of a node whose files lie in `folder`, and of its rabbitmqctl."""
    (folder / "rabbitmq.conf").write_text(config)
    (folder / "plugins").write_text("[].")
    return {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"beatd{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": ip,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "ERL_EPMD_PORT": str(epmd_port),
    }


def epmd(program: Path, port: int) -> list[str]:
    """Return the command of an epmd in the foreground.

    Erlang starts one where none answers, and leaves it behind as a daemon; so start this one first.
    """
    return [str(program), "-address", "127.0.0.1", "-port", str(port)]

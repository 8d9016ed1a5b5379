"""Run a command beside private servers, which end with it: `python tests/run/servers.py pytest`.

Each server listens on a free port of the loopback address and keeps its files in a folder of its
own; nothing that answers on a default port is used. The ports are in BEATD_TEST_REDIS_PORT and its
like. A server that is not installed is installed with apt where that is allowed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

START_S = 120.0  # that a server may take until it answers
LOOK_AGAIN_S = 0.05
END_S = 10.0  # that a server may take to end before it is killed

PACKAGES = {
    "redis": "redis-server",
    "postgresql": "postgresql",
    "mariadb": "mariadb-server",
    "rabbitmq": "rabbitmq-server",
}
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on PATH runs only as its user


class NotToBeHad(Exception):
    """The server is not installed and cannot be, or it does not start; says why."""


class Servers:
    def __init__(self, folder: Path) -> None:
        self.folder, self.env = folder, dict[str, str]()
        self._running: list[subprocess.Popen[bytes]] = []
        self._updated = False

    def start(self, name: str) -> None:
        """Raises NotToBeHad."""
        port = free_port()
        getattr(self, f"_{name}")(port)
        self._await(name, port)
        self.env[f"BEATD_TEST_{name.upper()}_PORT"] = str(port)

    def stop(self) -> None:
        for process in self._running:
            end_group(process, signal.SIGTERM)
        until = time.monotonic() + END_S
        for process in self._running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                end_group(process, signal.SIGKILL)
                process.wait()

    def _redis(self, port: int) -> None:
        program = self._program("redis", "redis-server")
        files = self._files("redis")
        self._run(
            "redis",
            [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(files)]
            + ["--save", "", "--appendonly", "no"],
        )

    def _postgresql(self, port: int) -> None:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not folders:
            self._install("postgresql")
            folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not folders:
            raise NotToBeHad("the package postgresql has no /usr/lib/postgresql/*/bin")
        files, programs = self._files("postgresql", owner="postgres"), folders[-1]
        data = files / "data"
        self._once(
            "postgresql",
            [*run_as("postgres"), programs / "initdb", "-D", data, "-U", "postgres"]
            + ["--auth", "trust", "--no-sync"],
        )
        self._run(
            "postgresql",
            [*run_as("postgres"), programs / "postgres", "-D", data, "-p", str(port)]
            + ["-h", "127.0.0.1", "-k", files],
        )
        self._await("postgresql", port)
        create = [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        self._until_done("postgresql", [*create, "test"])

    def _mariadb(self, port: int) -> None:
        program = self._program("mariadb", "mariadbd", "/usr/sbin/mariadbd")
        files = self._files("mariadb", owner="mysql")
        data, socket_path = files / "data", files / "sock"
        user = ["--user=mysql"] if os.getuid() == 0 else []
        self._once(
            "mariadb",
            ["mariadb-install-db", "--no-defaults", *user, f"--datadir={data}"]
            + ["--auth-root-authentication-method=normal"],
        )
        self._run(
            "mariadb",
            [program, "--no-defaults", *user, f"--datadir={data}", f"--port={port}"]
            + ["--bind-address=127.0.0.1", f"--socket={socket_path}"]
            + [f"--pid-file={files / 'pid'}"],
        )
        self._await("mariadb", port)
        # A new data folder may hold a database of that name already.
        create = ["-e", "CREATE DATABASE IF NOT EXISTS test"]
        client = ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", "root"]
        self._until_done("mariadb", [*client, *create])

    def _rabbitmq(self, port: int) -> None:
        if not RABBITMQ.exists():
            self._install("rabbitmq")
        files = self._files("rabbitmq")
        (files / "rabbitmq.conf").write_text("loopback_users = none\n")
        (files / "plugins").write_text("[].")
        env = {
            "HOME": str(files),
            "RABBITMQ_NODENAME": f"beatd{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(files / "mnesia"),
            "RABBITMQ_LOG_BASE": str(files / "log"),
            "RABBITMQ_PID_FILE": str(files / "pid"),
            "RABBITMQ_CONFIG_FILE": str(files / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(files / "plugins"),
        }
        self._run("rabbitmq", [RABBITMQ], env)

    # how a server is found, made and waited for

    def _program(self, name: str, *places: str) -> str:
        for _ in range(2):
            for place in places:
                if found := shutil.which(place):
                    return found
            self._install(name)
        raise NotToBeHad(f"the package {PACKAGES[name]} has no {places[0]}")

    def _install(self, name: str) -> None:
        package = PACKAGES[name]
        apt = shutil.which("apt-get")
        if apt is None:
            raise NotToBeHad(f"{package} is not installed, and there is no apt-get")
        sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
        if sudo and subprocess.run([*sudo, "true"], capture_output=True).returncode:
            raise NotToBeHad(f"{package} is not installed, and neither root nor sudo is here")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if not self._updated:
            subprocess.run([*sudo, apt, "update", "-qq"], capture_output=True, env=env)
            self._updated = True
        print(f"installing {package}…", flush=True)
        done = subprocess.run(
            [*sudo, apt, "install", "-y", "-qq", package],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["apt-get said nothing"]
            raise NotToBeHad(f"apt-get install {package} failed: {said[-1]}")

    def _files(self, name: str, *, owner: str = "") -> Path:
        files = self.folder / name
        files.mkdir()
        if owner and os.getuid() == 0:
            shutil.chown(files, owner, owner)
        return files

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _once(self, name: str, command: Sequence[str | Path]) -> None:
        with self._log(name).open("ab") as log:
            if subprocess.run(command, stdout=log, stderr=log).returncode:
                raise NotToBeHad(f"{Path(command[-1]).name}: {self._last_words(name)}")

    def _run(
        self, name: str, command: Sequence[str | Path], env: dict[str, str] | None = None
    ) -> None:
        with self._log(name).open("ab") as log:
            self._running.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **(env or {})},
                    start_new_session=True,
                )
            )

    def _await(self, name: str, port: int) -> None:
        until = time.monotonic() + START_S
        while not answers(port):
            if self._running[-1].poll() is not None or time.monotonic() > until:
                raise NotToBeHad(f"{name} does not start: {self._last_words(name)}")
            time.sleep(LOOK_AGAIN_S)

    def _until_done(self, name: str, command: Sequence[str | Path]) -> None:
        until = time.monotonic() + START_S
        while subprocess.run(command, capture_output=True).returncode:
            if time.monotonic() > until:
                raise NotToBeHad(f"{name} takes no commands: {self._last_words(name)}")
            time.sleep(LOOK_AGAIN_S)

    def _last_words(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def run_as(user: str) -> list[str]:
    """In front of a command of a server that does not run as root."""
    return ["runuser", "-u", user, "--"] if os.getuid() == 0 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def end_group(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass


def main(command: Sequence[str]) -> int:
    if not command:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="beatd-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # servers run as users of their own
        servers = Servers(folder)
        missing = dict[str, str]()
        try:
            for server in PACKAGES:
                try:
                    servers.start(server)
                except NotToBeHad as reason:
                    missing[server] = str(reason)
            for server, reason in missing.items():
                print(f"NOT TO BE HAD: {server}: {reason}", flush=True)
            env = {**os.environ, **servers.env, "BEATD_TEST_MISSING": " ".join(missing)}
            child = subprocess.Popen(command, env=env)
            # Ctrl-C reaches the command by itself, and it decides when to end.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: child.terminate())
            code = child.wait()
        finally:
            servers.stop()
        for server, reason in missing.items():
            print(f"NOT TESTED, for want of a server: {server}: {reason}", flush=True)
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

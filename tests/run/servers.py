"""Run a command beside private servers, which end with it: `python tests/run/servers.py pytest`.

Each server listens on a free port of the loopback address and keeps its files in a folder of its
own; no server that answers on a default port is used. The ports are in BEATD_TEST_REDIS_PORT and
its like. Programs that are not installed are installed with apt where that is allowed; the reasons
for those that are still missing are in BEATD_TEST_MISSING, as JSON, and are printed at the end.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if not __package__:  # run as a program: make `tests` known
    sys.path[0] = str(Path(__file__).parents[2])

from tests.run import packages, rabbitmq

START_S = 120.0  # that a server may take until it answers
LOOK_AGAIN_S = 0.05
END_S = 10.0  # that a server may take to end before it is killed

PROGRAMS = {
    "redis": "redis-server",
    "postgresql": "postgres",
    "mariadb": "mariadbd",
    "rabbitmq": "rabbitmq-server",
    "pgbouncer": "pgbouncer",  # before the PostgreSQL, so the last to start
}
# Its files outlive a killed process, and need not outlive a power cut: a database in a fifth.
PG_NO_SYNC = ("-c", "fsync=off", "-c", "full_page_writes=off")
MARIADB_NO_SYNC = (
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=0",
    "--innodb-file-per-table=0",  # a table is made without a file
)
# Fewer sessions than a test has connections, so that they are shared all the time.
PGBOUNCER = """
[databases]
* = host=127.0.0.1 port={postgresql} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
"""
Command = Sequence[str | Path]
Process = subprocess.Popen[bytes]


class DoesNotStart(Exception):
    """Says why."""


class Servers:
    def __init__(self, folder: Path, redis: Sequence[str] = ("--appendonly", "no")) -> None:
        self.folder, self.env = folder, dict[str, str]()
        self.running, self.ports = dict[str, Process](), dict[str, int]()
        self._redis_options = redis
        self._commands = dict[str, tuple[Command, dict[str, str] | None]]()

    def start(self, name: str) -> str:
        """Return the reason why the server does not start, or nothing."""
        self.ports[name] = port = free_port()
        try:
            getattr(self, f"_{name}")(needed(PROGRAMS[name]), port)
        except (DoesNotStart, OSError) as reason:
            return str(reason)
        self.env[f"BEATD_TEST_{name.upper()}_PORT"] = str(port)
        return ""

    def start_again(self, name: str) -> None:
        """Start a server that has ended, on its files and its port. Raises DoesNotStart."""
        self._await(name, self._run(name, *self._commands[name]), self.ports[name])

    def stop(self) -> None:
        for process in self.running.values():
            end_group(process, signal.SIGTERM)
        until = time.monotonic() + END_S
        for process in self.running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                end_group(process, signal.SIGKILL)
                process.wait()

    def _redis(self, program: Path, port: int) -> None:
        options = ["--save", "", *self._redis_options, "--dir", self._files("redis")]
        command = [program, "--port", str(port), "--bind", "127.0.0.1", *options]
        self._await("redis", self._run("redis", command), port)

    def _postgresql(self, program: Path, port: int) -> None:
        files, user = self._files("postgresql", owner="postgres"), run_as("postgres")
        data = files / "data"
        initdb = [program.with_name("initdb"), "-D", data, "-U", "postgres", "--auth", "trust"]
        self._once("postgresql", [*user, *initdb, "--no-sync"])
        options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", files, *PG_NO_SYNC]
        server = self._run("postgresql", [*user, program, *options])
        self._await("postgresql", server, port)
        place = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        self._until_done("postgresql", [program.with_name("createdb"), *place, "test"])

    def _mariadb(self, program: Path, port: int) -> None:
        files = self._files("mariadb", owner="mysql")
        user = ["--user=mysql"] if os.getuid() == 0 else []
        # A server that starts removes what other servers have in the temporary folder they share.
        folders = [f"--datadir={files / 'data'}", f"--tmpdir={files}"]
        common = ["--no-defaults", *user, *folders]
        auth = "--auth-root-authentication-method=normal"
        self._once("mariadb", ["mariadb-install-db", *common, auth])
        options = [f"--port={port}", "--bind-address=127.0.0.1", *MARIADB_NO_SYNC]
        places = [f"--socket={files / 'sock'}", f"--pid-file={files / 'pid'}"]
        server = self._run("mariadb", [program, *common, *options, *places])
        self._await("mariadb", server, port)
        # A new data folder may hold a database of that name already.
        client = ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", "root"]
        self._until_done("mariadb", [*client, "-e", "CREATE DATABASE IF NOT EXISTS test"])

    def _rabbitmq(self, program: Path, port: int) -> None:
        files, epmd_port = self._files("rabbitmq"), free_port()
        env = rabbitmq.environment(files, port=port, dist_port=free_port(), epmd_port=epmd_port)
        register = self._run("epmd", rabbitmq.epmd(needed("epmd"), epmd_port))
        self._await("epmd", register, epmd_port)
        self._await("rabbitmq", self._run("rabbitmq", [program], env), port)

    def _pgbouncer(self, program: Path, port: int) -> None:
        postgresql = self.env.get("BEATD_TEST_POSTGRESQL_PORT")
        if postgresql is None:
            raise DoesNotStart("there is no PostgreSQL for it")
        config = self._files("pgbouncer", owner="postgres") / "pgbouncer.ini"
        config.write_text(PGBOUNCER.format(postgresql=postgresql, port=port))
        server = self._run("pgbouncer", [*run_as("postgres"), program, config])
        self._await("pgbouncer", server, port)

    # how a server is made and waited for

    def _files(self, name: str, *, owner: str = "") -> Path:
        files = self.folder / name
        files.mkdir(exist_ok=True)  # it may be a disk of its own
        if owner and os.getuid() == 0:
            shutil.chown(files, owner, owner)
        return files

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _once(self, name: str, command: Command) -> None:
        with self._log(name).open("ab") as log:
            if subprocess.run(command, stdout=log, stderr=log).returncode:
                raise DoesNotStart(self._last_words(name))

    def _run(self, name: str, command: Command, env: dict[str, str] | None = None) -> Process:
        self._commands[name] = (command, env)
        with self._log(name).open("ab") as log:
            process = self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        return process

    def _await(self, name: str, process: Process, port: int) -> None:
        until = time.monotonic() + START_S
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise DoesNotStart(self._last_words(name))
            time.sleep(LOOK_AGAIN_S)

    def _until_done(self, name: str, command: Command) -> None:
        until = time.monotonic() + START_S
        while subprocess.run(command, capture_output=True).returncode:
            if time.monotonic() > until:
                raise DoesNotStart(f"it takes no commands: {self._last_words(name)}")
            time.sleep(LOOK_AGAIN_S)

    def _last_words(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").strip().splitlines()
        return f"{name}: {lines[-1]}" if lines else f"{name} ended without a word"


def needed(program: str) -> Path:
    """Raises DoesNotStart."""
    found = packages.find(program)
    if found is None:
        raise DoesNotStart(f"{program} is not installed")
    return found


def run_as(user: str) -> list[str]:
    """Return what stands before a command of a server that does not run as root. The server itself
    is the process then, and hears what is sent to it."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]


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


def end_group(process: Process, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def wait_for(command: Command, env: dict[str, str]) -> int:
    """Run the command to its end, and pass a request to end on to it."""
    child = subprocess.Popen(command, env=env)
    # Ctrl-C reaches the command by itself, and it decides when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


def main(command: Command) -> int:
    if not command:
        print(__doc__)
        return 2
    # A shell lets what runs in its background ignore Ctrl-C, and tests type it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    missing = packages.install()
    with tempfile.TemporaryDirectory(prefix="beatd-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # servers run as users of their own
        servers = Servers(folder)
        try:
            *first, last = PROGRAMS
            with ThreadPoolExecutor() as pool:
                reasons = dict(zip(first, pool.map(servers.start, first), strict=True))
            reasons[last] = servers.start(last)
            missing |= {server: reason for server, reason in reasons.items() if reason}
            env = {**os.environ, **servers.env, "BEATD_TEST_MISSING": json.dumps(missing)}
            code = wait_for(command, env)
        finally:
            servers.stop()
    for wanted, reason in missing.items():
        print(f"NOT TESTED, for want of {wanted}: {reason}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

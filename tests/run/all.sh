#!/usr/bin/env bash
# All tests, on real servers: those that answer on their default ports are used, missing ones are
# installed where that is allowed and started privately, and what could not be had is said loudly.
set -u
cd "$(dirname "$0")/../.."
state=$(mktemp -d "${TMPDIR:-/tmp}/beatd-test.XXXXXX")
chmod 755 "$state"
missing=()
pids=()
export BEATD_TEST_STATE=$state

finish() {
  code=$?
  for pid in "${pids[@]:-}"; do [ -z "$pid" ] || kill "$pid" 2>/dev/null; done
  rm -rf "$state"
  exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await() { for _ in $(seq 300); do answers "$1" && return 0; read -rt 0.1 <> <(:) || :; done; return 1; }
have() { command -v "$1" >/dev/null 2>&1 || ls $2 >/dev/null 2>&1; }

installed=
install() {
  sudo=
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo="sudo -n"; } || return 1
  command -v apt-get >/dev/null || return 1
  [ -n "$installed" ] || { $sudo apt-get update -qq >/dev/null 2>&1; installed=yes; }
  echo "installing $1…"
  # Packages start their servers on the default port where they may; that is as good.
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "$1" >"$state/apt.log" 2>&1
}

redis() {
  have redis-server "" || install redis-server || return 1
  answers 6379 && return 0
  redis-server --port 16379 --bind 127.0.0.1 --save "" --appendonly no --dir "$state" >"$state/redis.log" 2>&1 &
  pids+=($!)
  export BEATD_TEST_REDIS_PORT=16379
  await 16379
}

postgresql() {
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
  [ -n "$bin" ] || install postgresql || return 1
  answers 5432 && return 0
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
  mkdir -p "$state/pg"
  owner=$(id -un); [ "$(id -u)" != 0 ] || { owner=postgres; chown postgres "$state/pg"; }
  run() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
  run "$bin/initdb" -D "$state/pg/data" -U postgres --auth trust >"$state/pg.log" 2>&1 || return 1
  run "$bin/postgres" -D "$state/pg/data" -p 15432 -k "$state/pg" >>"$state/pg.log" 2>&1 &
  pids+=($!)
  export BEATD_TEST_POSTGRESQL_PORT=15432
  await 15432 || return 1
  for _ in $(seq 50); do "$bin/createdb" -h 127.0.0.1 -p 15432 -U postgres test 2>/dev/null && return 0; read -rt 0.1 <> <(:) || :; done
  return 1
}

mariadb() {
  have mariadbd "/usr/sbin/mariadbd" || install mariadb-server || return 1
  answers 3306 && return 0
  mkdir -p "$state/mariadb"
  user=; [ "$(id -u)" != 0 ] || { user=--user=mysql; chown mysql "$state/mariadb"; }
  mariadb-install-db $user --datadir="$state/mariadb/data" --auth-root-authentication-method=normal >"$state/mariadb.log" 2>&1 || return 1
  /usr/sbin/mariadbd --no-defaults $user --datadir="$state/mariadb/data" --port=13306 --bind-address=127.0.0.1 \
    --socket="$state/mariadb/sock" --pid-file="$state/mariadb/pid" >>"$state/mariadb.log" 2>&1 &
  pids+=($!)
  export BEATD_TEST_MARIADB_PORT=13306
  await 13306 && mariadb-admin --no-defaults -h 127.0.0.1 -P 13306 -u root create test 2>>"$state/mariadb.log"
}

rabbitmq() {
  have rabbitmq-server "/usr/sbin/rabbitmq-server" || install rabbitmq-server || return 1
  answers 5672 && return 0
  mkdir -p "$state/rabbitmq"
  [ "$(id -u)" != 0 ] || chown rabbitmq "$state/rabbitmq"
  env RABBITMQ_NODE_PORT=15673 RABBITMQ_NODENAME=beatdtest@localhost RABBITMQ_MNESIA_BASE="$state/rabbitmq/mnesia" \
    RABBITMQ_LOG_BASE="$state/rabbitmq/log" RABBITMQ_DIST_PORT=25673 rabbitmq-server >"$state/rabbitmq.log" 2>&1 &
  pids+=($!)
  export BEATD_TEST_RABBITMQ_PORT=15673
  await 15673
}

for server in redis postgresql mariadb rabbitmq; do
  $server || missing+=("$server")
done
[ ${#missing[@]} = 0 ] || echo "NOT TO BE HAD: ${missing[*]}: the tests that need them are skipped, and fail where CI is set"

pytest -m "not long" -p no:cacheprovider "$@"
code=$?
{ ruff format --check . && ruff check . && mypy; } || code=1
if [ ${#missing[@]} != 0 ]; then
  echo
  echo "NOT TESTED, for want of a server: ${missing[*]}"
fi
exit $code

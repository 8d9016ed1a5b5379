"""Make one daemon the leader by a key in Redis, which Redis deletes when its time is over."""

from hashlib import sha1

from msgspec import DecodeError, json

from beatd.errors import StoreUnusable
from beatd.leader import Holder
from beatd.servers.redis import RedisServer

# The token stands first, so that an owner is compared without parsing. A value of another program
# is returned and not overwritten.
TAKE = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return ARGV[1] .. ARGV[2]
"""
RELEASE = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisLease:
    """A key in Redis that makes one daemon the leader.

    Each wait for Redis ends after half the time that the key lasts, so that there is time for one
    more try.
    """

    def __init__(self, url: str, *, prefix: str = "beatd:") -> None:
        self._url = url
        self._key = f"{prefix}{{0}}:lease"
        self._server: RedisServer | None = None

    def take(self, holder: Holder, ttl: float) -> Holder:
        if self._server is None:
            # It connects at its first use: a daemon can start while its Redis is still away.
            self._server = RedisServer(self._url, timeout=ttl / 2)
        held = self._run(
            self._server, TAKE, f"{holder.token}\n", json.encode(holder), max(1, int(ttl * 1000))
        )
        try:
            return json.decode(held.partition(b"\n")[2], type=Holder)
        except DecodeError:
            raise StoreUnusable(
                f"{self._server.place}: key {self._key} holds something of another program; "
                "try another key prefix or db"
            ) from None

    def release(self, holder: Holder) -> None:
        if self._server is not None:
            self._run(self._server, RELEASE, f"{holder.token}\n")

    def _run(self, server: RedisServer, source: str, *args: str | bytes | int) -> bytes:
        # The result is b"" if the reply is no text. An error is raised without a retry, because the
        # daemon soon renews the lock anyway.
        sha = sha1(source.encode(), usedforsecurity=False).hexdigest()
        with server.answering():
            answer = server.run_script(source, sha, 1, self._key, *args)
            return answer if isinstance(answer, bytes) else b""

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

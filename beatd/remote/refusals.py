"""Convert error responses of the API to beatd's exceptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from beatd.errors import (
    BeatError,
    ConfigError,
    Conflict,
    Problem,
    Stale,
    StoreError,
    UnknownEntry,
)

TOKEN_WANTED = "set BEATD_TOKEN, or give --token-file FILE"


def error_of(status: int, problem: Mapping[str, Any], url: str, *, with_token: bool) -> BeatError:
    """Return the exception for an error response: its status, and its RFC 9457 problem as a dict.

    `url` is for the message. `with_token` is True if the request had a token.
    """
    detail = str(problem.get("detail") or problem.get("title") or f"status {status}")
    detail = detail.replace("add ?force=true", "use --force")
    match status:
        case 401 if with_token:
            return BeatError(f"{url} does not know this token; {TOKEN_WANTED}")
        case 401:
            return BeatError(f"{url} wants a token; {TOKEN_WANTED}")
        case 403:
            has_tokens = "http.tokens" not in detail
            hint = f"; {TOKEN_WANTED}" if has_tokens and not with_token else ""
            return BeatError(f"{url}: {detail}{hint}")
        case 404:
            return UnknownEntry(detail)
        case 409:
            return Conflict(detail)
        case 412:
            return Stale(detail)
        case 422:
            wrong = list(_problems(problem))
            return ConfigError(detail, wrong) if wrong else BeatError(detail)
        case 503:
            return StoreError(detail)
        case _:
            return BeatError(f"{url}: {detail}")


def _problems(problem: Mapping[str, Any]) -> Iterator[Problem]:
    # The name of a parameter becomes an option: --at for `at`.
    for one in problem.get("errors", ()):
        if "parameter" in one:
            yield Problem(one["detail"], (f"--{one['parameter']}",))
        else:
            steps = one.get("pointer", "").split("/")[1:]
            path = (step.replace("~1", "/").replace("~0", "~") for step in steps)
            yield Problem(one["detail"], tuple(path))

"""Replace ${NAME} and ${NAME:-default} in texts by environment variables."""

import re
from collections.abc import Mapping

from beatd.errors import ConfigError
from beatd.schedules.quote import quoted

# $${ stands for ${ itself.
_SPOT = re.compile(r"\$(\$\{)|\$\{([^}]*)(\}?)")
NAME_CHARS_MAX = 100  # of a variable in an error
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?", re.DOTALL)


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """Return the text with ${NAME} and ${NAME:-default} replaced from `environment`.

    Raises ConfigError if a variable is malformed, or is not set and has no default.
    """
    return _SPOT.sub(lambda spot: _value(spot, environment), text)


def _value(spot: re.Match[str], environment: Mapping[str, str]) -> str:
    if spot[1]:
        return spot[1]
    named = _NAME.fullmatch(spot[2])
    if named is None or not spot[3]:
        raise ConfigError(
            f"{quoted('${' + spot[2][:40] + spot[3])} names no variable; "
            "write ${NAME} or ${NAME:-default}, and $${ for ${ itself"
        )
    name, default = named[1], named[3]
    value = environment.get(name, "")
    if value or (default is None and name in environment):
        return value
    if default is None:
        shown = f"{name[:NAME_CHARS_MAX]}{'…' * (len(name) > NAME_CHARS_MAX)}"
        raise ConfigError(f"${{{shown}}} is not set; set it, or write ${{{shown}:-default}}")
    return default

"""JSON that another scheduler wrote."""

from typing import Any

from msgspec import DecodeError, json

from beatd.definition.kinds import MAX_DEPTH
from beatd.errors import ConfigError


def decoded(text: bytes, what: str) -> Any:
    """The value; ConfigError, which names WHAT ("args are"), where it cannot be read."""
    try:
        return json.decode(text)
    except RecursionError:
        raise ConfigError(f"its {what} nested deeper than {MAX_DEPTH} levels") from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"its {what} not JSON: {error}") from None

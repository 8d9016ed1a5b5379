"""Decode JSON that another scheduler wrote."""

from typing import Any

from msgspec import DecodeError, json

from beatd.definition.argument_values import MAX_DEPTH
from beatd.errors import ConfigError


def decoded(text: bytes, what: str) -> Any:
    """Decode a JSON text; raise ConfigError if it is malformed or nested too deeply.

    `what` names the text in the error, such as "args are" in "its args are not JSON".
    """
    try:
        return json.decode(text)
    except RecursionError:
        raise ConfigError(f"its {what} nested deeper than {MAX_DEPTH} levels") from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"its {what} not JSON: {error}") from None

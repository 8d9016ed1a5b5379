"""The arguments of an app's entry as a store can hold them."""

from collections.abc import Mapping
from typing import Any

from kombu.serialization import dumps

from beatd.definition.argument_values import as_argument
from beatd.errors import ConfigError
from beatd.publishers import app_value, lazy_arguments


def storable(name: str, arguments: Any, serializer: str) -> Any:
    """args or kwargs with a mark for each value that only the app can send; ConfigError for one
    that its serializer cannot send either."""
    try:
        if isinstance(arguments, Mapping):
            return {key: _storable(value, serializer) for key, value in arguments.items()}
        if isinstance(arguments, list | tuple):
            return [_storable(value, serializer) for value in arguments]
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    return arguments


def _storable(value: Any, serializer: str) -> Any:
    if lazy_arguments.is_lazy(value):
        return lazy_arguments.mark_of(value)
    try:
        return as_argument(value)
    except ConfigError as why:
        try:
            dumps([value], serializer=serializer)
            return app_value.mark_of(value)
        except Exception as error:
            # Anything may come out of an app's own serializers and of its values' own code.
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise ConfigError(f"{why}; nor can its serializer, {serializer}: {said}") from None

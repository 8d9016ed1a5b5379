"""Convert the task arguments of an app's entry to values that a store can save as JSON."""

from collections.abc import Mapping
from typing import Any

from kombu.serialization import dumps

from beatd.definition.argument_values import as_argument
from beatd.errors import ConfigError
from beatd.publishers import app_value, lazy_arguments


def storable(name: str, arguments: Any, serializer: str) -> Any:
    """Convert the arguments of a task to values that a store can save.

    A value that only the app can send, such as an object of its own class, becomes a placeholder,
    and is read from the app again for each run. `name` is for messages. Raises ConfigError for a
    value that the app's `serializer` cannot send either.
    """
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
            # An app's serializers and values may raise any exception.
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ConfigError(f"{why}; nor can its serializer, {serializer}: {reason}") from None

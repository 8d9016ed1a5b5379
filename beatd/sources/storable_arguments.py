"""Convert the task arguments of an app's entry to values that a store can save as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from kombu.serialization import dumps

from beatd.definition.argument_values import as_argument
from beatd.errors import ConfigError, Path, dotted
from beatd.publishers import app_value, lazy_arguments


def storable(path: Path, arguments: Any, *serializers: str) -> Any:
    """Convert the arguments of a task to values that a store can save.

    A value that only the app can send, such as an object of its own class, becomes a placeholder,
    and is read from the app again for each run. `path` is the place of the arguments, for messages.
    Raises ConfigError for a value that one of the `serializers`, those of the messages that have
    it, cannot send either.
    """
    if isinstance(arguments, Mapping):
        return {
            key: _storable((*path, str(key)), value, serializers)
            for key, value in arguments.items()
        }
    if isinstance(arguments, list | tuple):
        return [_storable((*path, at), value, serializers) for at, value in enumerate(arguments)]
    return arguments


def _storable(path: Path, value: Any, serializers: Sequence[str]) -> Any:
    if lazy_arguments.is_lazy(value):
        return lazy_arguments.mark_of(value)
    try:
        return as_argument(value)
    except ConfigError as why:
        for serializer in serializers:
            try:
                dumps([value], serializer=serializer)
            except Exception as error:
                # An app's serializers and values may raise any exception.
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                text = f"{why}; nor can its serializer, {serializer}: {reason}"
                raise ConfigError(f"{dotted(path)}: {text}") from None
        try:
            return app_value.mark_of(value)
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            text = f"{why}; nor can its value be compared: {reason}"
            raise ConfigError(f"{dotted(path)}: {text}") from None

"""Read and write a field of `Entry` that has its own keys in YAML, such as `alert`."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_args

from msgspec import Struct, json, structs

from beatd.definition.kinds import Kind, mapping
from beatd.errors import ConfigError, nearest
from beatd.schedules.quote import quoted

S = TypeVar("S", bound=Struct)


class StructKind(Generic[S]):
    """Converts a YAML mapping, such as the value of `alert`, to an object and back.

    `of` is the class of the object; its fields are annotated with their help texts. `kind_of`
    returns the rules for reading a field, from its name and type. Error messages show `example`. If
    `shorthand` is a key, a plain text in place of the mapping is the value of that key.
    """

    def __init__(
        self,
        of: type[S],
        *,
        kind_of: Callable[[str, Any], Kind],
        example: str,
        shorthand: str = "",
    ) -> None:
        self._of, self._example, self._shorthand = of, example, shorthand
        self._kinds: dict[str, Kind] = {}
        self._defaults: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        for field in structs.fields(of):
            of_type, about = get_args(field.type)
            kind, default = kind_of(field.name, of_type), field.default
            self._kinds[field.name], self._defaults[field.name] = kind, default
            properties[field.name] = {
                "description": about,
                "anyOf": [kind.schema, {"type": "null"}],
                **({} if default is None else {"default": default}),
            }
        schema = {"type": "object", "additionalProperties": False, "properties": properties}
        self.kind = Kind(self.read, schema, self._write)
        self.from_json = lru_cache(maxsize=1024)(self._from_json)

    def read(self, value: Any, tz: str) -> S:
        """Return the object, such as an `Alert`, that a YAML mapping describes.

        `tz` is the zone of a moment without a UTC offset. Keys without a value are ignored. Raises
        ConfigError with the key that is wrong.
        """
        if self._shorthand and isinstance(value, str):
            value = {self._shorthand: value}
        if not isinstance(value, Mapping):
            raise ConfigError(f"{quoted(value)} is not a mapping; write it like {self._example}")
        fields: dict[str, Any] = {}
        for key, given in mapping(value).items():
            if key not in self._kinds:
                raise ConfigError(f"{quoted(key)} is not one of its keys{self._hint(key)}")
            if given is None:
                continue
            try:
                fields[key] = self._kinds[key].read(given, tz)
            except ConfigError as error:
                raise ConfigError(f"{key}: {error}") from None
        return self._of(**fields)

    def _from_json(self, text: bytes) -> S | None:
        # `from_json` caches the result, so that equal texts share one object.
        plain = json.decode(text)
        return None if plain is None else self.read(plain, "UTC")

    def _hint(self, key: Any) -> str:
        return nearest(str(key), self._kinds) or f"; it has {', '.join(self._kinds)}"

    def _write(self, value: S | None) -> dict[str, Any] | None:
        if value is None:
            return None
        return {
            name: kind.write(one)
            for name, kind in self._kinds.items()
            if (one := getattr(value, name)) != self._defaults[name]
        }

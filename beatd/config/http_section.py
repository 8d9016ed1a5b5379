"""Make the settings of the web server from the section `http`, and note what is wrong in it."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from beatd.config.http_settings import HEADER_NAME, ROLES, TOKEN_NAME
from beatd.config.secret_file_mode import fault_of_mode
from beatd.config.urls import on_loopback
from beatd.config.values import Http, Proxy, Role, Tls, Token
from beatd.errors import ConfigError, nearest
from beatd.schedules.quote import quoted
from beatd.secret import learn

SECRET_CHARS_MIN = 16


class Note(Protocol):
    """A function that reports a problem of the setting at `path`, such as ("http", "bind")."""

    def __call__(self, text: str, *path: str, warning: bool = False) -> None: ...


class HttpSection(Struct, frozen=True):
    """Reads the section `http` of a configuration, which has the settings of the web server.

    `secret_in` returns the text of a file, or raises ConfigError. Relative paths begin at `folder`.
    """

    note: Note
    secret_in: Callable[[str], str]
    folder: Path

    def read(self, values: Mapping[str, Any]) -> Http | None:
        """Return the settings of the web server, or None if `values` has no `bind`."""
        tokens = tuple(self._tokens(values.get("tokens", {})))
        proxy = self._proxy(values["proxy"]) if "proxy" in values else None
        tls = self._tls(values["tls"]) if "tls" in values else None
        if "bind" not in values:
            return None
        host, port = values["bind"]
        if not on_loopback(host):
            self._warn_of_strangers(
                signs_in="tokens" in values or "proxy" in values, encrypted="tls" in values
            )
        return Http(
            host=host,
            port=port,
            hosts=values.get("hosts", ()),
            tokens=tokens,
            proxy=proxy,
            tls=tls,
        )

    def _warn_of_strangers(self, *, signs_in: bool, encrypted: bool) -> None:
        # Other machines reach the server.
        faults = [] if encrypted else ["without TLS, so that tokens can be read on the way"]
        if not signs_in:
            faults.append("without http.tokens, so that pages and API answer 401 to everybody")
        if faults:
            text = f"is reachable from other machines {', and '.join(faults)}"
            self.note(text, "http", "bind", warning=True)

    def _tokens(self, given: Mapping[str, Any]) -> list[Token]:
        found: list[Token] = []
        for name, value in given.items():
            path = ("http", "tokens", str(name))
            if not re.fullmatch(TOKEN_NAME, str(name)):
                self.note("is not a name of letters, digits, dots, @, - and _", *path)
                continue
            fields = self._keys(value, path, ("role", "secret_file"), ("role", "secret_file"))
            role = self._role(fields.get("role"), *path, "role")
            secret = self._secret(fields.get("secret_file"), *path, "secret_file")
            if role is None or secret is None:
                continue
            if same := next((one.name for one in found if one.secret == secret), None):
                self.note(f"has the same secret as {same}", *path, "secret_file")
                continue
            found.append(Token(name=str(name), role=role, secret=secret))
        return found

    def _secret(self, file: str | None, *path: str) -> str | None:
        # From now on the secret is masked in messages.
        if file is None:
            return None
        try:
            secret = self.secret_in(file)
        except ConfigError as error:
            self.note(str(error), *path)
            return None
        learn(secret)
        if len(secret) < SECRET_CHARS_MIN:
            text = f"has fewer than {SECRET_CHARS_MIN} characters; `openssl rand -hex 32` makes one"
            self.note(f"{quoted(file)} {text}", *path)
            return None
        if not (secret.isascii() and secret.isprintable() and " " not in secret):
            self.note(f"{quoted(file)} has more than one line or word of plain characters", *path)
            return None
        if fault := fault_of_mode(self.folder / file):
            self.note(f"{quoted(file)} {fault}", *path, warning=True)
        return secret

    def _proxy(self, given: Mapping[str, Any]) -> Proxy | None:
        path = ("http", "proxy")
        fields = self._keys(
            given, path, ("user_header", "from", "roles"), ("user_header", "from"), texts=()
        )
        header, addresses = fields.get("user_header"), fields.get("from", [])
        if header is not None and not re.fullmatch(HEADER_NAME, str(header)):
            self.note(f"{quoted(header)} is no name of a header", *path, "user_header")
        addresses = [addresses] if isinstance(addresses, str) else addresses
        if not isinstance(addresses, list):
            self.note(f"{quoted(addresses)} is not a list of addresses", *path, "from")
            addresses = []
        for address in addresses:
            try:
                ip_network(str(address))
            except ValueError:
                text = "is not an address or a network; write it like 10.0.0.1 or 10.0.0.0/8"
                self.note(f"{quoted(address)} {text}", *path, "from")
                return None
        roles: dict[str, Role] = {}
        users = fields.get("roles") or {}
        if not isinstance(users, Mapping):
            self.note("is not a mapping; write it like {ann: editor}", *path, "roles")
            users = {}
        for user, name in users.items():
            role = self._role(name, *path, "roles", str(user))
            if role is not None:
                roles[str(user)] = role
        if header is None or not addresses:
            return None
        return Proxy(user_header=str(header), addresses=tuple(map(str, addresses)), roles=roles)

    def _tls(self, given: Mapping[str, Any]) -> Tls | None:
        fields = self._keys(given, ("http", "tls"), ("cert", "key"), ("cert", "key"))
        if len(fields) < 2:
            return None
        from beatd.config.tls_files import tls_context  # few configurations need it

        cert, key = (str(self.folder / fields[name]) for name in ("cert", "key"))
        try:
            tls_context(cert, key)
        except ConfigError as error:
            self.note(str(error), "http", "tls")
            return None
        return Tls(cert=cert, key=key)

    def _role(self, value: Any, *path: str) -> Role | None:
        if value is None:
            return None
        for role in ROLES:
            if value == role:
                return role
        hint = nearest(str(value), ROLES)
        self.note(
            f"{quoted(value)} is not a role{hint or '; roles are ' + ', '.join(ROLES)}", *path
        )
        return None

    def _keys(
        self,
        value: Any,
        path: tuple[str, ...],
        known: tuple[str, ...],
        needed: tuple[str, ...],
        texts: tuple[str, ...] | None = None,
    ) -> dict[str, Any]:
        # Keys in `texts` (None: all) must have texts as values.
        if not isinstance(value, Mapping):
            self.note(f"{quoted(value)} is not a mapping of {' and '.join(known)}", *path)
            return {}
        found = {}
        for key, one in value.items():
            if key not in known:
                self.note(f"is not a setting of {path[-1]}{nearest(str(key), known)}", *path, key)
            elif (
                one is not None
                and key in (known if texts is None else texts)
                and not (isinstance(one, str) and one.strip())
            ):
                self.note(f"{quoted(one)} is not text", *path, key)
            elif one is not None:
                found[key] = one
        for key in needed:
            if value.get(key) in (None, [], ""):
                self.note(f"needs {key}", *path)
        return found

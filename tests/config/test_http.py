"""The section `http`: who may, TLS, and what is wrong with either."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

import beatd.secret
from beatd.config import examine
from beatd.config.json_schema import config_schema
from beatd.config.secret_file_mode import fault_of_mode
from beatd.config.values import Http
from beatd.secret import hidden

Write = Callable[[str, str], Path]
START = "broker: redis://localhost\n"
SECRET = "0123456789abcdef"


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of other tests, such as "secret", would hide words of these messages."""
    monkeypatch.setattr(beatd.secret, "_known", beatd.secret._Known())


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Files of these tests are like those that `umask 077` makes."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def problems(path: Path) -> list[str]:
    return [str(problem).partition(": ")[2] for problem in examine(path, environment={}).problems]


def http_in(path: Path) -> Http:
    found = examine(path, environment={})
    assert found.problems == () and found.config is not None and found.config.http is not None
    return found.config.http


def test_everything_can_be_set(write: Write, certificate: tuple[str, str]) -> None:
    write("ann", f"{SECRET}\n")
    cert, key = certificate
    text = f"""http:
      bind: 0.0.0.0:9753
      hosts: [beat.example]
      tokens: {{ann: {{role: editor, secret_file: ann}}}}
      proxy: {{user_header: X-User, from: [10.0.0.1, "fe80::/10"], roles: {{bob: viewer}}}}
      tls: {{cert: {cert}, key: {key}}}
    """
    http = http_in(write("c.yaml", START + text))
    (ann,) = http.tokens
    assert (ann.name, ann.role, ann.secret) == ("ann", "editor", SECRET)
    assert http.proxy is not None and http.proxy.addresses == ("10.0.0.1", "fe80::/10")
    assert (http.proxy.user_header, http.proxy.roles) == ("X-User", {"bob": "viewer"})
    assert http.tls is not None and (http.tls.cert, http.tls.key) == (cert, key)
    assert SECRET not in repr(http) and SECRET not in hidden(f"x {SECRET}")
    jsonschema.validate(yaml.safe_load(START + text), config_schema())


def test_nothing_is_set_by_default(write: Write) -> None:
    http = http_in(write("c.yaml", f"{START}http: {{bind: '127.0.0.1:1', tokens: {{}}}}\n"))
    assert (http.tokens, http.proxy, http.tls) == ((), None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens: [ann]", "http.tokens: is not a mapping; write it like {ann: {role: editor"),
        ("tokens: {ann: x}", "http.tokens.ann: 'x' is not a mapping of role and secret_file"),
        ("tokens: {ann: {role: editor}}", "http.tokens.ann: needs secret_file"),
        ("tokens: {ann: {secret_file: good}}", "http.tokens.ann: needs role"),
        (
            "tokens: {ann: {role: root, secret_file: good}}",
            "http.tokens.ann.role: 'root' is not a role; roles are viewer, operator, editor",
        ),
        (
            "tokens: {ann: {role: editr, secret_file: good}}",
            "http.tokens.ann.role: 'editr' is not a role; did you mean editor?",
        ),
        (
            "tokens: {ann: {role: editor, secret_file: none}}",
            "http.tokens.ann.secret_file: 'none' cannot be read: no such file or directory",
        ),
        (
            "tokens: {ann: {role: editor, secret_file: empty}}",
            "http.tokens.ann.secret_file: 'empty' is empty",
        ),
        (
            "tokens: {ann: {role: editor, secret_file: short}}",
            "http.tokens.ann.secret_file: 'short' has fewer than 16 characters; `openssl rand",
        ),
        (
            "tokens: {ann: {role: editor, secret_file: lines}}",
            "http.tokens.ann.secret_file: 'lines' has more than one line or word",
        ),
        (
            "tokens: {ann: {role: editor, secret_file: good, secret: x}}",
            "http.tokens.ann.secret: is not a setting of ann; did you mean secret_file?",
        ),
        (
            "tokens: {'a|b': {role: editor, secret_file: good}}",
            "http.tokens.a|b: is not a name of letters, digits, dots, @, - and _",
        ),
        (
            "tokens: {a: {role: viewer, secret_file: good}, b: {role: editor, secret_file: twin}}",
            "http.tokens.b.secret_file: has the same secret as a",
        ),
        ("proxy: x", "http.proxy: is not a mapping; write it like {user_header: X-User"),
        ("proxy: {user_header: X-User}", "http.proxy: needs from"),
        ("proxy: {from: [10.0.0.1]}", "http.proxy: needs user_header"),
        (
            "proxy: {user_header: 'X User', from: [10.0.0.1]}",
            "http.proxy.user_header: 'X User' is no name of a header",
        ),
        (
            "proxy: {user_header: X-User, from: [10.0.0.1/8]}",
            "http.proxy.from: '10.0.0.1/8' is not an address or a network; write it like",
        ),
        (
            "proxy: {user_header: X-User, from: [proxy.example]}",
            "http.proxy.from: 'proxy.example' is not an address or a network",
        ),
        ("proxy: {user_header: X-User, from: []}", "http.proxy: needs from"),
        (
            "proxy: {user_header: X-User, from: [10.0.0.1], roles: {ann: root}}",
            "http.proxy.roles.ann: 'root' is not a role",
        ),
        ("tls: {cert: good}", "http.tls: needs key"),
        ("tls: {key: good}", "http.tls: needs cert"),
        ("tls: x.pem", "http.tls: is not a mapping; write it like {cert: PATH, key: PATH}"),
        ("tls: {cert: none.pem, key: good}", "none.pem' cannot be read: no such file"),
        ("tls: {cert: good, key: good}", "good' is not a certificate in PEM form"),
    ],
)
def test_a_mistake_is_told_with_its_place(write: Write, text: str, said: str) -> None:
    for name, secret in (
        ("good", SECRET), ("twin", SECRET), ("empty", "\n"), ("short", "x" * 15),
        ("lines", f"{SECRET}\n{SECRET}"),
    ):  # fmt: skip
        write(name, secret)
    path = write("c.yaml", f"{START}http: {{bind: '127.0.0.1:1', {text}}}\n")
    (found,) = problems(path)
    assert said in found and SECRET not in found
    config = examine(path, environment={}).config
    assert config is not None and not examine(path, environment={}).valid


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("bind: '127.0.0.1:1'", ""),
        ("bind: '[::1]:1'", ""),
        ("bind: 'localhost:1'", ""),
        (
            "bind: '0.0.0.0:1'",
            "is reachable from other machines without TLS, so that tokens can be read on the way, "
            "and without http.tokens, so that pages and API answer 401 to everybody",
        ),
        (
            "bind: '0.0.0.0:1', tokens: {a: {role: viewer, secret_file: good}}",
            "is reachable from other machines without TLS, so that tokens can be read on the way",
        ),
    ],
)
def test_other_machines_are_worth_a_warning(write: Write, text: str, warning: str) -> None:
    write("good", SECRET)
    found = examine(write("c.yaml", f"{START}http: {{{text}}}\n"), environment={}).problems
    assert [one.text for one in found if one.warning] == ([warning] if warning else [])
    assert len(found) == bool(warning)


def test_a_token_that_every_user_can_read_is_a_warning(write: Write) -> None:
    token = write("ann", SECRET)
    tokens = "{ann: {role: viewer, secret_file: ann}}"
    path = write("c.yaml", f"{START}http: {{bind: '127.0.0.1:1', tokens: {tokens}}}\n")
    for mode, is_open in ((0o644, True), (0o604, True), (0o640, False), (0o400, False)):
        token.chmod(mode)
        found = examine(path, environment={})
        assert found.config is not None and found.config.http is not None and found.valid
        text = f"'ann' can be read by every user of this host; run chmod 600 {token}"
        said = [one.text.partition("; a daemon that is not root")[0] for one in found.problems]
        assert said == ([text] if is_open else [])


def test_a_token_that_kubernetes_mounts_is_no_warning(tmp_path: Path) -> None:
    (tmp_path / "..2027").mkdir()
    mounted = tmp_path / "..2027/ann"
    mounted.write_text(SECRET)
    mounted.chmod(0o644)
    (tmp_path / "..data").symlink_to("..2027")
    (tmp_path / "ann").symlink_to("..data/ann")
    assert fault_of_mode(mounted) and not fault_of_mode(tmp_path / "ann")
    assert not fault_of_mode(tmp_path / "nothing")


@pytest.mark.parametrize(
    "http",
    [
        {"tokens": {"ann": {"role": "root", "secret_file": "x"}}},
        {"tokens": {"ann": {"role": "editor"}}},
        {"tokens": {"a|b": {"role": "editor", "secret_file": "x"}}},
        {"proxy": {"user_header": "X-User"}},
        {"tls": {"cert": "x"}},
    ],
)
def test_an_editor_marks_mistakes_too(http: dict[str, object]) -> None:
    whole = json.loads(json.dumps({"broker": "redis://localhost", "http": http}))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, config_schema())

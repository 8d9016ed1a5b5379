"""What a command over the API says when the API refuses it, or is not there."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from beatd.config.tls_files import tls_context
from beatd.edits.editing import rows
from beatd.errors import StoreError
from beatd.remote.api import Api
from beatd.remote.daemon_url import DaemonUrl
from beatd.remote.refusals import error_of
from beatd.remote.remote_catalog import RemoteCatalog
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.gate import FOREIGN, READS_ONLY
from tests.cli.conftest import Beatd
from tests.cli.test_completion import offered
from tests.remote.conftest import site_on, url_of
from tests.web.conftest import Serve
from tests.web.site import SECRETS, TOKENS, bare, serving, visitors


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEATD_TOKEN", raising=False)


def test_without_a_token_it_says_where_to_give_one(
    beatd: Beatd, served: str, no_token: None
) -> None:
    ended = beatd("list", "--url", served)
    assert ended.code == 1
    assert ended.line.endswith("wants a token; set BEATD_TOKEN, or give --token-file FILE")


def test_a_wrong_token_is_never_printed(
    beatd: Beatd, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEATD_TOKEN", "wrong-word-1234")
    ended = beatd("--debug", "--url", served, "list")
    assert ended.code == 1
    assert "does not know this token" in ended.line
    assert "wrong-word" not in ended.err + ended.out


@pytest.mark.parametrize(
    ("who", "words", "needed"),
    [
        ("vera", ["pause", "tidy"], "operator"),
        ("vera", ["trigger", "tidy"], "operator"),
        ("otto", ["edit", "tidy", "--every", "6m"], "editor"),
        ("otto", ["remove", "tidy"], "editor"),
        ("otto", ["add", "new", "--task", "t", "--every", "6m"], "editor"),
        ("otto", ["undo", "1"], "editor"),
    ],
)
def test_a_role_that_is_too_low_is_named_with_the_one_that_is_needed(
    beatd: Beatd,
    served: str,
    token: str,
    tmp_path: Path,
    who: str,
    words: list[str],
    needed: str,
) -> None:
    assert beatd("--url", served, "add", "tidy", "--task", "t", "--every", "5m").code == 0
    file = tmp_path / "token"
    file.write_text(f"{SECRETS[who]}\n")
    ended = beatd(*words, "--url", served, "--token-file", file)
    assert ended.code == 1
    assert f"this needs the role {needed}; {who} is" in ended.line


@pytest.mark.parametrize("content", ["", "two words", "ä", "\x00"])
def test_a_file_without_a_token_is_named(
    beatd: Beatd, served: str, no_token: None, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    ended = beatd("list", "--url", served, "--token-file", file)
    assert (ended.code, str(file) in ended.line) == (2, True)
    assert content not in ended.line or not content.strip()


def test_a_missing_token_file_is_named(beatd: Beatd, served: str, no_token: None) -> None:
    ended = beatd("list", "--url", served, "--token-file", "none/such")
    assert (ended.code, ended.line) == (
        2,
        "beatd: --token-file: none/such: no such file or directory",
    )


def test_the_environment_names_the_daemon_and_the_file(
    beatd: Beatd, served: str, no_token: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(SECRETS["vera"])
    monkeypatch.setenv("BEATD_URL", served)
    monkeypatch.setenv("BEATD_TOKEN_FILE", str(tmp_path / "token"))
    assert beatd("list", "--json").json == []


def test_the_configuration_and_the_store_win_over_the_environment(
    beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEATD_URL", "http://127.0.0.1:1")
    store = f"sqlite:///{tmp_path}/s.db"
    (tmp_path / "c.yaml").write_text(f"broker: {{url: 'memory://'}}\nstore: {{url: '{store}'}}\n")
    assert beatd("add", "x", "--task", "t", "--every", "1h", "--store", store).code == 0
    assert (
        beatd("-c", tmp_path / "c.yaml", "list", "--json").json
        == beatd("list", "--json", "-c", tmp_path / "c.yaml").json
    )
    assert beatd("list", "--json").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "http://h", "-c", "c.yaml", "list"],
        ["--url", "http://h", "list", "-c", "c.yaml"],
        ["-c", "c.yaml", "list", "--url", "http://h"],
        ["list", "--store", "memory:", "--url", "http://h"],
        ["list", "--ca", "ca.pem"],
        *(
            ["--url", "http://h", *local]
            for local in (
                ["run"], ["check"], ["schema"], ["import", "crontab"], ["store", "copy"],
                ["alerts", "test"], ["completion", "bash"], ["status", "--shadow"], ["apply"], [],
            )
        ),
        ["--url", "ftp://h", "list"],
        ["--url", "http://ann:secret-1@h", "list"],
        ["--url", "http://h:99999", "list"],
        ["--url", "http://h ost", "list"],
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_url_is_refused_in_one_line(beatd: Beatd, words: list[str]) -> None:
    ended = beatd(*words)
    assert ended.code == 2
    assert "secret-1" not in ended.line


def test_a_daemon_that_is_away_is_one_line(beatd: Beatd, serve: Serve, token: str) -> None:
    server = serve()
    url = url_of(server)
    server.close()
    for words in (["list"], ["status"], ["why", "x"], ["pause", "x"]):
        ended = beatd("--url", url, *words)
        assert ended.code == 1
        assert (
            ended.line
            == f"beatd: {url}: no connection: nothing listens there; is the daemon running?"
        )


def test_a_change_that_gets_no_answer_may_have_been_made(token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        api = Api(DaemonUrl(url), timeout_s=0.05)
        with pytest.raises(StoreError, match=r"no answer within 0\.05 s$"):
            api.get("whoami")
        with pytest.raises(StoreError, match="the change may have been made all the same"):
            api.send("POST", "entries/tidy/trigger")


def test_a_store_that_is_away_is_one_line(beatd: Beatd, serve: Serve, token: str) -> None:
    ended = beatd("--url", url_of(serve(who=visitors(TOKENS))), "list")
    assert (ended.code, ended.line) == (1, "beatd: the store is away")


def answering(response: Response) -> Callable[[Scope, Receive, Send], Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return app


def test_where_nobody_can_sign_in_no_token_is_wanted() -> None:
    for detail, wanted in ((READS_ONLY, False), (FOREIGN, True)):
        error = error_of(403, {"detail": detail}, "http://localhost:9753", with_token=False)
        assert detail in str(error)
        assert ("BEATD_TOKEN" in str(error)) == wanted


def test_the_url_of_the_api_is_that_of_the_daemon() -> None:
    for path in ("", "/", "/api/v1", "/api/v1/"):
        assert DaemonUrl(f"https://beat.example:9753{path}").base() == "https://beat.example:9753"
    assert DaemonUrl("https://ops.example/beat/api/v1").base() == "https://ops.example/beat"


def test_another_server_is_not_taken_for_beatd(beatd: Beatd, serve: Serve, token: str) -> None:
    page = PlainTextResponse("<h1>hello</h1>", media_type="text/html")
    ended = beatd("--url", url_of(serve(bare(answering(page)))), "list")
    assert ended.code == 1
    assert "does not answer as beatd does (status 200, text/html)" in ended.line


@pytest.mark.parametrize("body", [b"\xff", b'{"a": "\xff"}', b'{"a":' + b"[" * 5000])
def test_an_answer_that_is_no_json_is_not_of_beatd(
    beatd: Beatd, serve: Serve, token: str, body: bytes
) -> None:
    answer = Response(body, media_type="application/json")
    ended = beatd("--url", url_of(serve(bare(answering(answer)))), "list")
    assert ended.code == 1
    assert "does not answer as beatd does (status 200, application/json)" in ended.line


def test_no_redirect_is_followed(beatd: Beatd, serve: Serve, served: str, token: str) -> None:
    elsewhere = RedirectResponse(f"{served}/api/v1/whoami")
    ended = beatd("--url", url_of(serve(bare(answering(elsewhere)))), "list")
    assert ended.code == 1
    assert "does not answer as beatd does (status 307" in ended.line


def test_a_host_that_the_daemon_does_not_answer_for_is_named(
    beatd: Beatd, serve: Serve, token: str
) -> None:
    refusal = PlainTextResponse("http.hosts does not name beat.example\n", 421)
    url = url_of(serve(bare(answering(refusal))))
    ended = beatd("--url", url, "list")
    assert (ended.code, ended.line) == (1, f"beatd: {url}: http.hosts does not name beat.example")


def test_a_certificate_is_checked(
    beatd: Beatd,
    serve: Serve,
    store: MemoryStore,
    token: str,
    certificate: tuple[str, str],
    tmp_path: Path,
) -> None:
    site = site_on(lambda: Roles.of(store), shares_store=True)
    server = serve(serving(who=visitors(TOKENS), site=site, tls=tls_context(*certificate)))
    url = url_of(server).replace("http:", "https:")
    ended = beatd("--url", url, "list")
    assert ended.code == 1
    assert f"{url}: its certificate is not trusted: " in ended.line
    assert ended.line.endswith("; see --ca FILE")
    trusted = ("--ca", certificate[0])
    assert beatd("--url", url, *trusted, "list", "--json").json == []
    other_name = url.replace("127.0.0.1", "localhost")
    assert "Hostname mismatch" in beatd("--url", other_name, *trusted, "list").line
    assert "is it https:// ?" in beatd("--url", url.replace("https", "http"), "list").line
    (tmp_path / "ca").write_text("none")
    for file in (tmp_path / "ca", tmp_path / "none"):
        ended = beatd("--url", url, "--ca", file, "list")
        assert (ended.code, f"--ca: {file}" in ended.line) == (2, True)


def test_tls_to_a_daemon_without_it_is_one_line(beatd: Beatd, served: str, token: str) -> None:
    ended = beatd("--url", served.replace("http", "https"), "list")
    assert (ended.code, "is it http:// ?" in ended.line) == (1, True)


def test_a_token_that_others_can_read_on_the_way_is_said(token: str) -> None:
    assert DaemonUrl("http://beat.example:9753").shows_token()
    for url in ("https://beat.example", "http://localhost:9753", "http://[::1]:9753"):
        assert not DaemonUrl(url).shows_token()


# Edits that meet others


def test_two_edits_at_once_are_both_written(
    beatd: Beatd, served: str, token: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    beatd("--url", served, "add", "tidy", "--task", "t", "--every", "5m")
    write, overtaken = RemoteCatalog.write, []

    def write_second(self: RemoteCatalog, changes: Any) -> Any:
        if not overtaken:
            overtaken.append(True)
            beatd("--url", served, "edit", "tidy", "--queue", "slow")
        return write(self, changes)

    monkeypatch.setattr(RemoteCatalog, "write", write_second)
    ended = beatd("--url", served, "edit", "tidy", "--every", "6m")
    assert (ended.code, ended.told) == (0, "")
    entry = rows(store, ["tidy"])["tidy"].entry
    assert (entry.schedule.plain(), entry.options) == ({"every": "6m"}, {"queue": "slow"})


def test_an_entry_that_is_removed_meanwhile_is_unknown(
    beatd: Beatd, served: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beatd("--url", served, "add", "tidy", "--task", "t", "--every", "5m")
    write, overtaken = RemoteCatalog.write, []

    def write_second(self: RemoteCatalog, changes: Any) -> Any:
        if not overtaken:
            overtaken.append(True)
            beatd("--url", served, "remove", "tidy")
        return write(self, changes)

    monkeypatch.setattr(RemoteCatalog, "write", write_second)
    ended = beatd("--url", served, "pause", "tidy")
    assert ended.code == 1
    assert "no entry 'tidy' in the store" in ended.line


# Names, runs and files


def test_the_tab_key_completes_names_of_the_daemon(
    beatd: Beatd, served: str, token: str, tmp_path: Path
) -> None:
    for name in ("report-day", "report-night", "tidy"):
        beatd("--url", served, "add", name, "--task", "t", "--every", "1h")
    both = ["report-day", "report-night"]
    assert offered(tmp_path, f"beatd --url {served} show rep") == both
    assert offered(tmp_path, f"beatd show --url {served} rep") == both


def test_nothing_is_said_about_a_configuration_that_the_command_does_not_have(
    beatd: Beatd, served: str, token: str
) -> None:
    words = ("add", "tidy", "--task", "t", "--every", "5m", "--alert", "failed=1")
    ended = beatd("--url", served, *words)
    assert (ended.code, ended.told) == (0, "")


@pytest.mark.parametrize(
    "name", ["team/täglich", "a b/c?d#e%2F", "日本", "x/pause", "...", "a&b=c"]
)
def test_a_name_may_have_any_letters(beatd: Beatd, served: str, token: str, name: str) -> None:
    def run(*words: str) -> Any:
        ended = beatd("--url", served, *words)
        assert (ended.code, ended.told) == (0, ""), words
        return ended

    run("add", name, "--task", "t", "--every", "5m")
    run("edit", name, "--every", "6m")
    run("pause", name)
    run("resume", name)
    assert run("show", name, "--json").json["schedule"] == {"every": "6m"}
    assert [one["entry"] for one in run("changes", name, "--json").json] == [name] * 4
    assert [one["name"] for one in run("list", f"{name[:1]}*", "--json").json] == [name]
    run("why", name)
    run("history", "--json")
    assert run("trigger", name, "--json").json[0]["entry"] == name
    run("remove", name)


def test_the_author_is_the_token_and_the_note_is_kept(
    beatd: Beatd, served: str, token: str
) -> None:
    for words in (
        ["add", "tidy", "--task", "t", "--every", "5m"],
        ["edit", "tidy", "--every", "6m"],
        ["pause", "tidy"],
        ["resume", "tidy"],
        ["remove", "tidy"],
    ):
        beatd("--url", served, *words, "--note", words[0])
    beatd("--url", served, "undo", "5", "--note", "undo")
    changes = beatd("--url", served, "changes", "--json").json
    assert isinstance(changes, list)
    assert [one["note"] for one in changes[::-1]] == [
        *("add", "edit", "pause", "resume", "remove", "undo of 5: undo")
    ]
    assert {(one["by"], one["via"]) for one in changes} == {("edna (token)", "api")}


def test_arguments_of_one_run_reach_the_daemon(
    beatd: Beatd, served: str, token: str, store: MemoryStore
) -> None:
    beatd("--url", served, "add", "tidy", "--task", "t", "--every", "5m")
    day = '{"day": {"__type__": "date", "__value__": "2027-01-31"}}'
    ended = beatd("--url", served, "trigger", "tidy", "--kwargs", day)
    assert (ended.code, ended.told) == (0, "")
    ((request, _),) = store.requests(10)
    assert "2027-01-31" in (store.marks.arguments(request.id) or "")


def test_files_are_applied_under_an_owner_of_the_api(
    beatd: Beatd, served: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("jobs.yaml")
    file.write_text("entries:\n  a: {task: t, every: 5m}\n  b: {task: t, every: 6m}\n")
    dry = beatd("--url", served, "apply", file, "--dry-run")
    assert dry.out.splitlines()[-1] == "would be 2 added, 0 changed, 0 removed, 0 unchanged"
    assert beatd("--url", served, "list", "--json").json == []
    done = beatd("--url", served, "apply", file)
    assert done.out.replace("would be ", "") == dry.out.replace("would be ", "")
    listed = beatd("--url", served, "list", "--json").json
    assert isinstance(listed, list)
    assert {one["source"] for one in listed} == {"api:jobs"}
    file.write_text("entries:\n  a: {task: t, every: 7m}\n")
    assert "1 changed, 0 removed, 0 unchanged, 1 kept" in beatd("--url", served, "apply", file).out
    assert "0 changed, 1 removed" in beatd("--url", served, "apply", file, "--prune").out
    again = beatd("--url", served, "apply", file, "--json").json
    assert isinstance(again, dict)
    assert again["unchanged"] == 1
    beatd("--url", served, "add", "c", "--task", "t", "--every", "1h")
    file.write_text("entries:\n  c: {task: t, every: 7m}\n")
    assert beatd("--url", served, "apply", file).code == 1


def test_a_long_list_comes_in_pages(
    beatd: Beatd, served: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.remote.api.PAGE", 2)
    monkeypatch.setattr("beatd.views.change_rows.PAGE", 2)
    for number in range(5):
        beatd("--url", served, "add", f"e{number}", "--task", "t", "--every", "5m")
    for words in (["list"], ["list", "--limit", "5"], ["changes"], ["changes", "--limit", "5"]):
        found = beatd("--url", served, *words, "--json").json
        assert isinstance(found, list)
        names = {one.get("name", one.get("entry")) for one in found}
        assert names == {f"e{number}" for number in range(5)}
    limited = beatd("--url", served, "changes", "--limit", "3", "--json").json
    assert isinstance(limited, list)
    assert [one["entry"] for one in limited] == ["e4", "e3", "e2"]

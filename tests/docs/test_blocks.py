"""Every configuration and every command on the pages is one that beatd accepts."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest
import yaml

from beatd.cli import main
from beatd.config.settings import KEYS
from tests.cli.conftest import Beatd
from tests.docs.blocks import PAGES, Block, blocks, commands

#: A command in a sentence. It may lack its arguments, and a lone option is no command.
_INLINE = re.compile(r"`(beatd (?!-\S+`)(?:-|[a-z])[^`\n]*)`")
_FOR_PEOPLE = re.compile(r"[…\[\]|]|\.\.\.")
#: Keys of files for other programs, at their top or one level below.
_OTHERS = {"apiVersion", "jobs", "repos", "script", "services"}
_OTHERS_PAGES = {"docs/docker.md", "docs/kubernetes.md"}
_SAMPLE = {
    "DURATION": "5m", "MOMENT": "2027-01-10T02:30", "ID": "1", "ZONE": "UTC", "N": "3",
    "JSON": "[1]",
}  # fmt: skip


def accepted(words: list[str]) -> None:
    """Parse the words as the program does, without running the command."""
    words = [_SAMPLE.get(word, word) for word in words]
    try:
        with main.make_context("beatd", words, obj=None) as context:
            name, command, rest = main.resolve_command(context, [*context._protected_args])
            parsed(command, name, [*rest, *context.args], context)
    except click.exceptions.Exit:  # --help, --version
        return


def parsed(command: click.Command | None, name: str | None, rest: list[str], parent: click.Context):
    assert command is not None
    with command.make_context(name, rest, parent=parent) as context:
        if isinstance(command, click.Group):
            inner, below, more = command.resolve_command(context, [*context._protected_args])
            parsed(below, inner, [*more, *context.args], context)


def all_commands() -> list[tuple[str, list[str]]]:
    """Return the place and the words of each command of beatd on the pages."""
    found = []
    for block in blocks("console", "sh", ""):
        for words in commands(block):
            program, *rest = words
            if Path(program).name == "beatd" and "|" not in rest:
                if ">" in rest:
                    rest = rest[: rest.index(">")]
                found.append((block.place, rest))
    for page in PAGES:
        for text in _INLINE.findall(page.read_text()):
            if not _FOR_PEOPLE.search(text) and page.name != "commands.md":
                found.append((page.name, shlex.split(text.partition(" > ")[0])[1:]))
    return found


COMMANDS = all_commands()


@pytest.mark.parametrize(
    "place, words", COMMANDS, ids=[f"{place} {' '.join(words)}" for place, words in COMMANDS]
)
def test_beatd_accepts_a_command_of_the_pages(
    place: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BEATD_URL", raising=False)
    if place.endswith(".md"):  # in a sentence
        with suppress(click.MissingParameter):
            accepted(words)
    else:
        accepted(words)


def test_a_command_with_a_wrong_option_would_be_found() -> None:
    with pytest.raises(click.UsageError, match="No such option"):
        accepted(["list", "--nosuch"])
    assert len(COMMANDS) > 100


def is_for_another_program(block: Block) -> bool:
    """True if the YAML is not beatd's: for Kubernetes, compose, GitHub, GitLab, pre-commit."""
    if block.text.startswith("# values.yaml\n"):
        return True  # of the Helm chart, tested in tests/packaging
    found = yaml.safe_load(block.text) if "\n---" not in block.text else {"apiVersion": "v1"}
    if not isinstance(found, dict):
        return False
    below = [one.keys() for one in found.values() if isinstance(one, dict)]
    if any(_OTHERS & keys for keys in (found.keys(), *below)):
        return True
    return block.page in _OTHERS_PAGES and not found.keys() & set(KEYS)


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.place)
def test_yaml_of_the_pages_can_be_read(block: Block) -> None:
    list(yaml.safe_load_all(block.text))


@pytest.mark.parametrize(
    "block",
    [block for block in blocks("yaml") if not is_for_another_program(block)],
    ids=lambda block: block.place,
)
def test_a_configuration_of_the_pages_has_no_mistake(
    block: Block, tmp_path: Path, beatd: Beatd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in re.findall(r"\$\{(\w+)\}", block.text):
        monkeypatch.setenv(name, "x")
    found, text = yaml.safe_load(block.text), block.text
    if found is None or not {"broker", "app"} & found.keys():
        text = f"{text}broker: memory://\n"
    file = tmp_path / "config.yaml"
    file.write_text(text)
    ended = beatd("check", "-c", file, "--json")
    errors = [one["text"] for one in ended.json["problems"] if one["level"] == "error"]
    # The pages name secrets where an operator has them, not on this machine, and an app of theirs.
    elsewhere = ("/etc/beatd/", "needs the result backend of an app")
    assert [one for one in errors if not any(text in one for text in elsewhere)] == []


def test_a_configuration_is_not_taken_for_one_of_another_program() -> None:
    assert sum(not is_for_another_program(block) for block in blocks("yaml")) > 12
    typo = Block("docs/page.md", 1, "yaml", "brokr: memory://\n")
    assert not is_for_another_program(typo)


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.place)
def test_a_program_of_the_pages_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")

"""The hook for pre-commit runs as `.pre-commit-hooks.yaml` and the page say."""

import re
import shlex
from pathlib import Path

import yaml

from tests.cli.conftest import Beatd, Here

ROOT = Path(__file__).parents[2]
[HOOK] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
PAGE = (ROOT / "docs/entries/in-ci.md").read_text()


def test_the_hook_checks_the_files_that_pre_commit_names(here: Here, beatd: Beatd) -> None:
    here.config("app: nosuch:app\n")
    program, *words = shlex.split(HOOK["entry"])
    assert (HOOK["id"], HOOK["language"], program) == ("beatd-check", "python", "beatd")
    here.file("schedules/a.yaml", "entries: {x: {task: t, every: 1h}}")
    here.file("schedules/b.yaml", "entries: {y: {task: t, evry: 1h}, x: {task: t, every: 1h}}")
    names = ["schedules/a.yaml", "schedules/b.yaml"]
    assert all(re.search(HOOK["files"], name) for name in names)
    assert beatd(*words, names[0]).code == 0
    ended = beatd(*words, *names)
    assert ended.code == 1
    assert "schedules/b.yaml:1: error: entries.y.evry: is not a key of an entry" in ended.out
    assert "schedules/b.yaml:1: error: entries.x: is declared in schedules/a.yaml:1" in ended.out


def test_the_hook_takes_zone_and_defaults_of_the_configuration_that_args_name(
    here: Here, beatd: Beatd
) -> None:
    _, *words = shlex.split(HOOK["entry"])
    entry = here.file(
        "deploy/schedules/a.yaml", "entries: {x: {task: t, every: 1h, overlap: skip}}"
    )
    (here.folder / "config.yaml").unlink()
    without = beatd(*words, "deploy/schedules/a.yaml")
    assert without.code == 1 and entry.is_file()
    assert "no configuration: the zone is UTC, without defaults; -c FILE names one" in without.out
    here.file("deploy/beatd.yaml", "broker: 'redis://${NOSUCH}/0'\ndefaults: {max_run: 1h}\n")
    (args,) = re.findall(r"`args: \[(-c, deploy/beatd.yaml)\]`", PAGE)
    named = beatd(*words, *args.split(", "), "deploy/schedules/a.yaml")
    assert (named.code, named.out) == (0, "nothing wrong: 1 entry in 1 file\n")


def test_the_examples_of_the_page_name_the_hook_and_commands_that_are_there(beatd: Beatd) -> None:
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    hooks = [hook for one in examples for repo in one.get("repos", []) for hook in repo["hooks"]]
    assert [hook["id"] for hook in hooks] == ["beatd-check", "beatd-check"]
    for command, option in re.findall(r"beatd (check|diff)\b[^`\n]*?(--[\w-]+)", PAGE):
        assert option in beatd(command, "--help").out

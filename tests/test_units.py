"""The units of systemd: right by its own reckoning, and honest about where a store may lie."""

import subprocess
from pathlib import Path

import pytest

from beatd.config import load_config
from beatd.definition import codec
from beatd.errors import StoreUnusable
from beatd.stores.sql import SqlStore
from tests import needs

FOLDER = Path(__file__).parents[1] / "systemd"
UNITS = sorted(FOLDER.iterdir())
EXPOSED_AT_MOST = "20"  # tenths: 2.0 of 10


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_safe_by_systemds_own_reckoning(unit: Path) -> None:
    words = [
        needs.program("systemd-analyze"),
        "security",
        "--offline=true",
        f"--threshold={EXPOSED_AT_MOST}",
    ]
    done = subprocess.run([*words, unit], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_store_that_a_unit_advises_lies_in_its_state_directory(
    unit: Path, tmp_path: Path
) -> None:
    text = unit.read_text()
    advised = next(line for line in text.splitlines() if line.startswith("#   store:"))
    state = next(line for line in text.splitlines() if line.startswith("StateDirectory="))
    file = tmp_path / "config.yaml"
    file.write_text(f"broker: memory://\n{advised.removeprefix('#').strip()}\n")
    folder = f"/var/lib/{state.partition('=')[2]}".replace("%i", "NAME")
    assert load_config(file).config.store.url == f"sqlite:///{folder}/beatd.db"


def test_a_store_in_a_read_only_place_names_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/beatd")
    with pytest.raises(StoreUnusable, match=r'store: \{url: "sqlite:////var/lib/beatd/beatd\.db"'):
        SqlStore("sqlite:////proc/beatd.db", codec=codec)

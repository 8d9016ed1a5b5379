"""The process that tries a new configuration."""

import subprocess
import sys
from pathlib import Path

from beatd.daemon.trial import TRIAL_LIMIT_S, TRIAL_OPTION

APP = """
import signal
from pathlib import Path
from celery import Celery
app = Celery("x", broker="memory://")
Path("left").write_text(str(signal.getitimer(signal.ITIMER_REAL)[0]))
"""


def test_a_trial_ends_by_itself_where_its_daemon_was_killed(tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text(APP)
    config = tmp_path / "config.yaml"
    config.write_text("app: project:app\nstore: {url: 'memory:'}\n")
    words = [sys.executable, "-m", "beatd", "run", "-c", str(config), TRIAL_OPTION]
    subprocess.run(words, cwd=tmp_path, check=True, timeout=60)
    assert 0 < float((tmp_path / "left").read_text()) <= TRIAL_LIMIT_S + 5

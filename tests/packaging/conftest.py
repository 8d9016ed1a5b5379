from pathlib import Path

import pytest

from tests.packaging.archives import ROOT, built


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution and the wheel of this repository."""
    sdist, wheel = built(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel")
    return (sdist, wheel) if sdist.suffix == ".gz" else (wheel, sdist)

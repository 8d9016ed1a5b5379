"""The command `beatd` for the tests of this folder."""

from tests.cli.conftest import beatd

__all__ = ["beatd"]

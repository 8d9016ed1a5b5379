"""Bugs planted on purpose: each breaks one rule, and the simulator has to see it."""

from tests.simulation import (
    planted_in_edits,
    planted_in_incidents,
    planted_in_loops,
    planted_in_sending,
    planted_in_settling,
)
from tests.simulation.planting import PLANTED, planted

# Each plants its bugs when it is imported.
SOWN = (
    planted_in_edits,
    planted_in_incidents,
    planted_in_loops,
    planted_in_sending,
    planted_in_settling,
)

__all__ = ["PLANTED", "SOWN", "planted"]

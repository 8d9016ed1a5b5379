"""All steps that a history is made of, with how often each comes."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.stores.model import (
    atomic_steps,
    entry_steps,
    history_steps,
    incident_steps,
    loss_steps,
    note_steps,
    outcome_steps,
    plan_steps,
    presence_steps,
    request_steps,
)
from tests.stores.model.side import Side

Step = Callable[[Side, random.Random], Any]

STEPS: Mapping[str, tuple[Step, int]] = {
    "edit": (entry_steps.edit_entry, 8),
    "pause": (entry_steps.pause_entry, 4),
    "replace": (entry_steps.replace_entry, 2),
    "remove": (entry_steps.remove_entry, 3),
    "claim_plans": (plan_steps.claim_plans, 12),
    "settle_unknowns": (plan_steps.settle_unknowns, 5),
    "record": (plan_steps.record, 8),
    "change_leader": (plan_steps.change_leader, 3),
    "ask": (request_steps.ask, 5),
    "ask_again": (request_steps.ask_again, 1),
    "work_off": (request_steps.work_off, 5),
    "report": (outcome_steps.report, 12),
    "prolong": (outcome_steps.prolong, 3),
    "put_incidents": (incident_steps.put_incidents, 4),
    "forget_incidents": (incident_steps.forget_incidents, 1),
    "forget": (history_steps.forget, 2),
    "forget_changes": (history_steps.forget_changes, 1),
    "copy_records": (history_steps.copy_records, 2),
    "note": (note_steps.note, 3),
    "new_identity": (note_steps.new_identity, 1),
    "announce": (presence_steps.announce, 3),
    "leave": (presence_steps.leave, 1),
    "fall_silent": (presence_steps.fall_silent, 1),
    "lose_part": (loss_steps.lose_part, 1),
    "send_at_once": (atomic_steps.send_at_once, 8),
    "send_again": (atomic_steps.send_again, 4),
    "write_up": (atomic_steps.write_up, 2),
}

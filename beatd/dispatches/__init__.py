"""Two ways to reserve the runs of a batch for this leader, and to send their messages.

`StepDispatch` does it in two steps. `AtomicDispatch` reserves, sends and records in one script of
Redis.
"""

"""Two ways to claim the runs of a batch and publish their messages.

`StepDispatch` claims and publishes in two steps. `AtomicDispatch` claims, publishes and records in
one script of Redis.
"""

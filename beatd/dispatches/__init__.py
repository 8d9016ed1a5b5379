"""Two ways to dispatch a batch, which means to claim its rows and publish its messages.

`StepDispatch` claims and publishes in two steps. `AtomicDispatch` claims, publishes and records in
one script of Redis.
"""

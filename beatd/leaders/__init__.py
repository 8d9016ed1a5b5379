"""Implementations of `beatd.leader.Lease`, the lock of the leader: one file for each technology."""

"""Implementations of `beatd.leader.Lease`, the lock of the leader. Each technology has one file."""

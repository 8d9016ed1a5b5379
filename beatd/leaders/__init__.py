"""Implement `beatd.leader.Lease`, the lock of the leader, in one file for each technology."""

"""Locks that make one daemon the leader, one module for each technology."""

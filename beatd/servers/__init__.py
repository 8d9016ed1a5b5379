"""Connections to servers and files, which the stores and leases of one technology share."""

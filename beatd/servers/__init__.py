"""Connections to servers and files: what stores and leases of one technology share."""

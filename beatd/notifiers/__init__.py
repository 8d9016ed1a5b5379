"""Clients that send messages to other services, with one file for each kind of service."""

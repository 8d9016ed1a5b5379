"""Alerts: detect incidents, such as an entry that keeps failing, and write messages about them."""
# No file here reads a clock, a store's driver or a network.

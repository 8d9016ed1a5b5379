"""Alerts: decide which incidents open and close, and write the messages about them. No file here
reads a clock, a store's driver or a network."""

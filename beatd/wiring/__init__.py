"""Build a daemon from a configuration; only this package names the classes of backends."""

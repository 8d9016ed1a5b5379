"""Build a daemon from a configuration; no other package names the classes of backends."""

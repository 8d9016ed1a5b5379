"""The assembly of a daemon from a configuration: the only room that names classes of backends."""

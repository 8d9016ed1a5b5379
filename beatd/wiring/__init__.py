"""From a configuration to the parts of a daemon: the only room that names classes of backends."""

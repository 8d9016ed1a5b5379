"""Assemble a daemon from a configuration: the only package that names classes of backends."""

"""Stores: each module here or in a folder below implements the protocol of `beatd.store`."""

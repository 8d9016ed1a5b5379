"""The API of a running daemon, used as a store: what `beatd --url` works on."""

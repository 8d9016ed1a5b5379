"""Use the HTTP API of a running daemon in place of a store, for commands with the option
`--url`."""

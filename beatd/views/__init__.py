"""Format entries, runs and history as table cells and JSON, for the commands, the pages and the
API."""

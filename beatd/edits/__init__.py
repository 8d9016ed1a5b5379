"""The edits that operators and sources make in a store."""

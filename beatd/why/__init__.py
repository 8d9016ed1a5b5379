"""Explain why a moment of an entry did or did not run."""

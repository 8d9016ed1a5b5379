"""`beatd why`: explain why an entry did or did not run at a moment."""

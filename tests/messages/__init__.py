"""Every message that a user can cause, from the sources."""

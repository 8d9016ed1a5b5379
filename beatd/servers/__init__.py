"""How a server is reached: what rooms of the same technology share."""

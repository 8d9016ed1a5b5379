"""Run the ticks of a daemon: read due rows, claim and publish them. Independent of backends."""

"""Run the ticks of a daemon: read what is due, claim and publish it. Independent of backends."""

"""The web server of a daemon, which serves health probes, pages for people and an API for
programs."""

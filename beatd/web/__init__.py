"""The web server of a daemon: probes, pages and the API."""

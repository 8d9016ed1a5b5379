"""Reports about runs to external monitors, such as Sentry or healthchecks.io."""

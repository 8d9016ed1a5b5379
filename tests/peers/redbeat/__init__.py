"""What RedBeat's documentation (2.4.2) describes, done with RedBeat and imported by beatd.

Not applicable, since they are about how RedBeat itself runs: `celery beat -S` and `worker --beat`
with RedBeatScheduler (README; the one line that replaces them: tests/test_migrating.py),
`redbeat_lock_key`, `redbeat_lock_timeout` and High Availability (beatd has a lease of its own),
`retry_period` (an import tries once and says what is wrong), the fallbacks to `broker_url` and
`broker_transport_options` (the URL is given), `redbeat_redis_use_ssl` (the URL says rediss://),
and the commands for developers.
"""

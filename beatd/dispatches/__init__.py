"""Two ways to dispatch a batch: claim and publish in two steps, or claim, publish and record in one
script of Redis."""

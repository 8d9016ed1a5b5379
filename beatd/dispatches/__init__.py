"""Two ways to dispatch a batch (to claim its rows and publish its messages): claim and publish in
two steps, or claim, publish and record in one script of Redis."""

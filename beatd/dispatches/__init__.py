"""The ways of dispatch: claim and publish in steps, or claim, publish and record as one."""

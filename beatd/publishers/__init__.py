"""Publishers send runs to their broker, through one transport for each kind of broker."""

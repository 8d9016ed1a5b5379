"""Publishers, which send runs to their broker: one transport for each kind of broker."""

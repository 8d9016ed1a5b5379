"""Send what is due, in ticks. No module here knows which database or broker is used."""

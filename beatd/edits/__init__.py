"""What operators and sources change in a store."""

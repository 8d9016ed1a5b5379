"""Inputs made from kept ones by small changes, given to everything that reads what others wrote."""

"""Tests of the documentation: its blocks run, its references fit the code, its site is whole."""

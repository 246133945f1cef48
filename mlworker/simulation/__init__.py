"""Simulated readers: known answers given through the real interface, to see what a strategy is worth."""

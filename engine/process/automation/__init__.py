"""Automations: what follows from a save, from a time, from outside, from a button."""

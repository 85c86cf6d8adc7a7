"""Functions of the formula language: one file each."""

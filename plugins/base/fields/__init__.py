"""Field types: one file each."""

"""How fast the engine is beside an application written by hand for the same tables. `make bench` runs it."""

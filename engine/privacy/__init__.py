"""Personal data: what is held of a person, taken out whole, and erased."""

"""One module per kind of screen: definitions and records in, view dicts out."""

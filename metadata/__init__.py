"""Files and definitions: text in, definitions and problems out. No database, no HTTP."""

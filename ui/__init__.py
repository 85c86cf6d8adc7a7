"""Pages: definitions and records in, screens out."""

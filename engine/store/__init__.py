"""Tables, columns and connections: all that touches the database."""

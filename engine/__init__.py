"""Tables, records, people, flows and the REST API."""

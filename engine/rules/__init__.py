"""What a record must meet before it is written."""

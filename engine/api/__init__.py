"""REST under /api/v1, health and metrics."""

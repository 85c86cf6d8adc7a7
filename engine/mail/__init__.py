"""Mail that leaves the system."""

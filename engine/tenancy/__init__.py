"""Many tenants: which there are, where they live, copies of one, and which of them a process has open."""

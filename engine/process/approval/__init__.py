"""Approvals that run: what was submitted, who is asked, and what they decide."""

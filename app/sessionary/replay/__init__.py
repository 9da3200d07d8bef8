"""Recorded conversations: reading them, doing them again, and comparing the answers."""

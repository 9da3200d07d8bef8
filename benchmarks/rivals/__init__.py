"""What Sessionary is compared with."""

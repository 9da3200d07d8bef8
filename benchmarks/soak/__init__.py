"""A soak test: load, killed workers and backups, and a check that every promise was kept."""

"""Left running under load while workers are killed and backups made: what is promised, is kept."""

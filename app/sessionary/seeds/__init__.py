"""Seed files: organizations, users, keys, devices and sessions from TOML."""

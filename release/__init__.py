"""Builds Sessionary as single files, for installation without pip."""

"""What Notte accepts and shows: input is validated by it, OpenAPI is generated from it."""

"""What Notte's calls accept and show: they validate, and OpenAPI is made of them."""

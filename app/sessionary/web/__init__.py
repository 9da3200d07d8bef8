"""HTTP mechanics, without any vendor's words."""

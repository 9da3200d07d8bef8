"""How Sessionary is packed for people who do not install it with pip."""

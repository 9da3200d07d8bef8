"""The servers and programs that Sessionary is compared with."""

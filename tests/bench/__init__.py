"""How fast it is: `python -m tests.bench`. Every number is a ratio within one alternating run."""

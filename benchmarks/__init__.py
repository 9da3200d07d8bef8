"""How fast it is: `python -m benchmarks`. Every number is a ratio within one alternating run."""

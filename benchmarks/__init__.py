"""Benchmarks: `python -m benchmarks`. Targets are ratios within one alternating run."""

"""Every statement on Galtea's tables, and the SQL twin of each rule about time.

tests/surfaces/galtea/test_queries.py compares each twin with its rule on generated rows.
"""

"""Every statement on Galtea's tables, and SQL twins of the rules: test_queries compares both."""

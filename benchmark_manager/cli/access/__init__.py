"""Commands of signing in, accounts and tokens."""

"""Routes of accounts, sessions, tokens, grants, federation and audit."""

"""Rules of access: names, passwords, tokens, waiting after wrong guesses, trusted issuers."""

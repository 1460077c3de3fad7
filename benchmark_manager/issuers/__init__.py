"""The only code that speaks to identity providers: OpenID Connect, and issuers of signed tokens."""

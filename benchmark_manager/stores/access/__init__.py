"""The collections of accounts, of what proves who somebody is, and of the audit."""

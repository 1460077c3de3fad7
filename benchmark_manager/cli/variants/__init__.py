"""Commands about variants."""

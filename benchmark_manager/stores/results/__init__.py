"""The collections of results, of their bytes, of what was read from them, and of receipts."""

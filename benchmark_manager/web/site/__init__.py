"""Parts that all pages share: layout, forms, languages and headers."""

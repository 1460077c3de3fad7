"""Routes of variants: `modified-files` in addresses and fields."""

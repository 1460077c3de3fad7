"""Rules for variants: their names, and what a rebase changes in them."""

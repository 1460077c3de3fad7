"""Routes of variants, which addresses and fields call `modified-files`."""

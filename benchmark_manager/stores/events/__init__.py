"""Changes, as the database reports them."""

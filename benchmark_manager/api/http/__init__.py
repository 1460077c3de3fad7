"""What all routes have in common: bodies, hosts, middleware and problem documents."""

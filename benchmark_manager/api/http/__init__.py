"""What all routes share: bodies, hosts, middleware and problem documents."""

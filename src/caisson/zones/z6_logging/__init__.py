"""Zone 6, logging: unseals, redacts and archives events under a signed Merkle tree, and shows that none changed."""

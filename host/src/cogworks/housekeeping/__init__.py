"""What is in the cache's folder, of every layer of the host, and what of it may go."""

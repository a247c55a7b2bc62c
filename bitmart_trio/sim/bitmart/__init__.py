"""The face of BitMart: its REST routes and shapes, its sockets' dialects, codes, quotas and signatures."""

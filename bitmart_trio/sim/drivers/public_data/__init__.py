"""Market data as others publish it, read as the moments of a tape."""

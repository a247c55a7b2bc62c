"""A whole history, page by page: iterators over every history endpoint, and the archive of an account."""

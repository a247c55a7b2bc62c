"""Call the REST API: one file per chapter of the documentation, with endpoint rows and the methods that use them."""

"""The REST API: one file a chapter of the documentation, endpoint rows with the methods that use them right below."""

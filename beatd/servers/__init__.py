"""Connect to servers and files; stores and leader locks of one technology share these modules."""

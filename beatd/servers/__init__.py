"""Connections to servers and files. The stores and the leases (locks of the leader) of one
technology share them."""

"""The network account: the one way to the internet, through a firewall that knows the file's hosts (NET-04)."""

"""The control account: the repository of configuration and orders, and who publishes in it."""

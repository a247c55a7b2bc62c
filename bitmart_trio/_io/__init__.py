"""The only package that awaits the network: the REST pipeline and the sockets, on Trio."""

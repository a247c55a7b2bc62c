"""For tests of programs that use this library: the cancel sweep, and pytest fixtures over the simulated exchange."""

"""The driver, seen from its users, over real servers: every test is written once and runs in six runtimes."""

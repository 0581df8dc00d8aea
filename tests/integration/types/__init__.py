"""Every type, there and back again."""

"""Makes other drivers green: one room a driver, each with `patch()`, `unpatch()`, `is_patched()`."""

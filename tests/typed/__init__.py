"""Programs that are type-checked by `test_typing`, and never run."""

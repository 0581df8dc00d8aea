"""The Django application that `test_django` uses."""

"""The limit: a C program on libpq, built when the benchmarks begin."""

"""Real servers, real frameworks, real faults."""

"""No server needed here, and seconds in all; what needs one is in `integration` and `green`."""

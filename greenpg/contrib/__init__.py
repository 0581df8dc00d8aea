"""What makes hosts green: one file for each, imported by its users and by nobody here."""

"""libpq's face against real servers, through every libpq there is."""

"""Being written."""
def green_lobject(factory): raise NotImplementedError

"""WHO SEES IT: the only package that knows HTTP."""

"""The schema's history, applied by ``journey.schema.upgrade``."""

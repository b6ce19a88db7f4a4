"""The extract folder and the HTTP events: one reader per source, quarantine, summary."""

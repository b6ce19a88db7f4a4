"""WHAT TO SUGGEST: candidates, ranker, rules and reasons, trained on the record."""

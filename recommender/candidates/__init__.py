"""Candidate models: each answers which products could suit a customer, by one kind of evidence."""

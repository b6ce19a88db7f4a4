"""Phrase lists that come with the product: sentiment, themes, and words without meaning of their own."""

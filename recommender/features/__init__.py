"""Point-in-time features of a candidate: of the pair, the product, the customer, and of every model's score."""

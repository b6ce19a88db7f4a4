"""The invented chain: laws, seeds, truth. Writes extract folders and knows nothing of what reads them."""

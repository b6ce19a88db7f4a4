"""Rules a retailer reads in order, one small file each."""

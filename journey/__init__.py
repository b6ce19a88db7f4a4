"""WHAT HAPPENED: the customer's omnichannel record; owns every shared table and its migrations."""

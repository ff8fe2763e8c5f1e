"""Bank transfers and cash: the customer pays by a reference number, and staff record what arrived."""

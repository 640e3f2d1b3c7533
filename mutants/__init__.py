"""Faults planted in copies of the product, to see that its tests find each."""

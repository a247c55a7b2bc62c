"""The chapters of BitMart's spot documentation, one file each, and the pushes of the spot market."""

"""The chapters of BitMart's futures documentation, one file each, and the pushes of the futures market."""

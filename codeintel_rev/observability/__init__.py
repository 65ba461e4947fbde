"""What the program tells of its own work."""

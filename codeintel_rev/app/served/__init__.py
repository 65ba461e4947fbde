"""What a server does with an index, for one caller at a time."""

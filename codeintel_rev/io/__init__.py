"""Everything that touches disk or another process."""

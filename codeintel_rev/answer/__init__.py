"""From hits to cited answers."""

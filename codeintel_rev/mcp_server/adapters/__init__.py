"""What each tool does: check, join the session's scope, ask a port, return a document."""

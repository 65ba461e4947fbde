"""From a query to ranked rows."""

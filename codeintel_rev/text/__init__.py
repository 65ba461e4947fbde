"""Pure functions over text: tokens, languages, globs."""

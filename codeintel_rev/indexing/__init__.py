"""From files to rows: walk, parse, tokenize, embed, store."""

"""The page of an index in the browser: search, near-duplicates, a map."""

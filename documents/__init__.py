"""Documents to print, as Typst sources; data reaches them as JSON, never as markup."""

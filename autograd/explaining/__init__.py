"""What a derivative is made of: formulas, paths, factors and nudges, in text, LaTeX and HTML."""

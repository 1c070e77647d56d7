"""Pictures of the graph: layout, SVG, the page that steps through a backward pass."""

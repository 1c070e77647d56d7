"""The engine: the table of operations, the graph, the Value. Everything else stands on it."""

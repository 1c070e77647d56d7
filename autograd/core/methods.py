"""Methods of Value from the table and from around the core: `methods.pyi` lists them."""

Methods = type("Methods", (), {"__slots__": ()})

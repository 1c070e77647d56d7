"""The methods that the table gives to Value: `methods.pyi` lists them for type checkers and editors."""

Methods = type("Methods", (), {"__slots__": ()})

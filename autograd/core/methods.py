"""The methods of Value that the table gives it, as type checkers and editors see them: `methods.pyi` lists them."""


class Methods:
    """What `Value` has beside its operators; `fast.put_in_place` puts the functions themselves there."""

    __slots__ = ()

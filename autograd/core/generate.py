"""Names that rooms beside the core still import while they are being rewritten; to be deleted with its last user."""

from autograd.core.table import Row


def are_lists(row: Row) -> list[bool]:
    """For each operand, whether it is a list."""
    return [operand in row.lists for operand in row.operands]


def is_atom(row: Row) -> bool:
    """Whether a row's value is a word of its own."""
    return row.atom


def signature(row: Row) -> str:
    """The parameters of a row's function, with their defaults."""
    return ", ".join(f"{x}={row.defaults[x]}" if x in row.defaults else x for x in row.operands)

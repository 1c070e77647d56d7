"""Examples of docstrings as code: Markdown would take each `>>>` for three quotations."""

import re

import griffe


class Doctests(griffe.Extension):
    """Fences around the sessions of every docstring that is not in a section of examples."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite the docstring of one function, class or attribute."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """A text with a fence around each session: from its first prompt to the next line that is empty.

    >>> print(fenced("Twice x.\\n\\n>>> f(2)\\n4\\n\\nNo more."))
    Twice x.
    <BLANKLINE>
    ```pycon
    >>> f(2)
    4
    ```
    <BLANKLINE>
    No more.
    """
    session = r"^( *)(>>> .*(?:\n(?! *$).*)*)"
    return re.sub(session, r"\1```pycon\n\1\2\n\1```", text, flags=re.MULTILINE)

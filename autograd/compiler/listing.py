"""A program's source in colours, for a notebook: legible on light and dark paper, and a screen or two long at most."""

import html
import io
import keyword
import token
import tokenize

MOST = 120  # lines that are shown, and
WIDEST = 400  # characters of each of them
COLOURS = {"comment": "#7d7d7d", "keyword": "#a05195", "number": "#c2571a", "string": "#3f8f4f", "call": "#2f7fc1"}


def listing(source: str, caption: str) -> str:
    """The first lines of a source as HTML, under a caption; a longer one is shortened, and says so."""
    lines = source.splitlines()
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]} ..." for line in lines[:MOST]]
    text = coloured("\n".join(shown))
    more = f"... and {len(lines) - MOST:,} more lines: see .source" if len(lines) > MOST else ""
    return (
        f"<div>{html.escape(caption)}</div>"
        f'<pre style="line-height:1.35;overflow-x:auto;white-space:pre">{text}</pre>{html.escape(more)}'
    )


def coloured(source: str) -> str:
    """Python source as HTML, its words coloured by kind; text that is no Python stays as it is."""
    lines = source.splitlines(keepends=True)
    parts, row, column = [], 1, 0

    def upto(end_row: int, end_column: int) -> str:
        nonlocal row, column
        if row == end_row:
            text = lines[row - 1][column:end_column] if row <= len(lines) else ""
        else:
            between = "".join(lines[row : end_row - 1])
            last = lines[end_row - 1][:end_column] if end_row <= len(lines) else ""
            text = lines[row - 1][column:] + between + last
        row, column = end_row, end_column
        return html.escape(text)

    try:
        for kind, word, start, end, line in tokenize.generate_tokens(io.StringIO(source).readline):
            colour = COLOURS.get(_kind(kind, word, line[end[1] :]))
            if colour and word:
                parts += [upto(*start), f'<span style="color:{colour}">', upto(*end), "</span>"]
    except (tokenize.TokenError, SyntaxError):  # cut in the middle of a bracket
        pass
    return "".join(parts) + upto(len(lines) + 1, 0)


def _kind(kind: int, word: str, after: str) -> str:
    if kind == token.NAME:
        return "keyword" if keyword.iskeyword(word) else "call" if after.startswith("(") else ""
    return {token.COMMENT: "comment", token.NUMBER: "number", token.STRING: "string"}.get(kind, "")

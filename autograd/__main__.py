"""python -m autograd EXPRESSION: what an expression is worth, its gradient, and with -o the page that explains it."""

import argparse
import re
import sys

from autograd.core.graph import backpropagate
from autograd.drawing.playground import playground
from autograd.drawing.statements import expression


def main(arguments: list[str] | None = None) -> None:
    """Print the cost and the derivative by each leaf of the expression; write the page where one is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        description="Differentiate an expression such as 'z = w*a + b; C = (tanh(z) - y)^2; w = 0.8'. Statements stand "
        "on lines or after ;, the last one is the cost, ^ and ** are powers, a name that is not assigned is a leaf; "
        "one that the expression gives no number gets one, which is said. "
        "Nothing of it is run as Python.",
    )
    parser.add_argument("expression", nargs="?", default="", help="the expression; '-' reads it from the input")
    parser.add_argument("-o", "--output", metavar="PAGE", help="write the playground, opened at it, to this .html file")
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(
        [f" {text}" if re.match("-[^-oh]", text) else text for text in given]
    )  # -x^2 is no option
    if not options.expression and not options.output:
        parser.error("type an expression, or -o playground.html for a page to type it into")
    text = sys.stdin.read() if options.expression == "-" else options.expression
    try:
        if text:
            print("\n".join(_results(text)))
        if options.output:
            print(f"{playground(text).save(options.output)}: open it in a browser")
    except OSError as error:
        parser.error(f"cannot write to {options.output}: {error.strerror}")
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def _results(text: str) -> list[str]:
    """The cost, then each leaf with the derivative by it."""
    found = expression(text)
    gradient = backpropagate(found.cost)
    name = found.cost.label
    lines = [(f"{name} = {found.cost.data:.6g}", "")]
    lines += [
        (f"{leaf} = {value.data:.6g}", f"d{name}/d{leaf} = {gradient[value]:.6g}")
        for leaf, value in found.leaves.items()
    ]
    width = max(len(left) for left, _ in lines)
    table = [f"{left:<{width}}   {right}".rstrip() for left, right in lines]
    if found.free:
        names = " and ".join(filter(None, [", ".join(found.free[:-1]), found.free[-1]]))
        numbers = "numbers here were" if len(found.free) > 1 else "number here was"
        table.append(
            f"The expression gives no number to {names}: the {numbers} chosen. Add {found.free[0]} = 0.8 to give one."
        )
    return table


if __name__ == "__main__":
    main()

"""The steps of the compiler one by one, for tests that look at kernels; and the pass at fault, found by bisection.

    python tests/compiler/stages.py 123            # which pass makes the random program of seed 123 wrong

With no passes a program is the plain transposition of its graph. If that is wrong, no pass is at fault.
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from autograd.compiler.passes import PASSES, only  # noqa: E402
from autograd.compiler.reading import kernels_of  # noqa: E402

plain = kernels_of


def at_fault(is_wrong):
    """The first pass with which `is_wrong()` becomes true, None if it is not true with all; "none" if without any."""
    low, high = 0, len(PASSES)
    with only(*PASSES):
        if not is_wrong():
            return None
    with only():
        if is_wrong():
            return "none"
    while high - low > 1:  # right with the passes before `low`, wrong with those before `high`
        middle = (low + high) // 2
        with only(*PASSES[:middle]):
            low, high = (low, middle) if is_wrong() else (middle, high)
    return PASSES[high - 1].__name__


if __name__ == "__main__":
    from forms import check
    from programs import KINDS, from_seed

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    program = from_seed(options.seed, options.kind)
    wrong = lambda: [found for found in check(program) if found[1] != "rounding"]  # noqa: E731
    print(*wrong(), sep="\n")
    print("pass at fault:", at_fault(wrong))

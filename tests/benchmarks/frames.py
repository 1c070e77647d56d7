"""How long a frame of the playground takes while 2-8-8-1 trains on 500 points: `python tests/benchmarks/frames.py`.

In a headless Chromium on this machine. A frame is one epoch, the surfaces of all neurons, the lines, the curve and the
numbers; at 60 frames a second there are 16.7 ms for it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from devtools import Tab  # noqa: E402

from autograd import playground  # noqa: E402

FRAMES = """(async () => {
  const real = frame, busy = [];
  window.frame = frame = (time) => {
    const begin = performance.now();
    real(time);
    busy.push(performance.now() - begin);
  };
  train(true);
  await new Promise((done) => setTimeout(done, SECONDS * 1000));
  train(false);
  busy.sort((a, b) => a - b);
  return [busy.length / SECONDS, ...[0.5, 0.95].map((q) => busy[Math.floor(busy.length * q)])];
})()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("activations", nargs="*", default=["tanh", "relu", "gelu"])
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "playground.html")
        playground().save(page)
        tab = Tab()
        tab.size(1280, 900)
        for activation in options.activations:
            tab.open(f"{page.as_uri()}#data=moons&n=500&layers=8-8&activation={activation}")
            rate, median, late = tab.run(FRAMES.replace("SECONDS", str(options.seconds)))
            print(f"{activation:8} {rate:5.1f} frames a second, busy {median:5.1f} ms (95 %: {late:.1f})")
        tab.close()


if __name__ == "__main__":
    main()

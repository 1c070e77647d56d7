"""Run the source of a compiled program on its own, without the Program that it came from."""


def run_source(source, theta, batch=None, gradient=True):
    """The roots, each of one number or one per example, and the mean gradient of the first."""
    namespace = {}
    exec(source, namespace)
    v, g, vs, _, forward, backward = namespace["program"](1 if batch is None else len(batch))[:6]
    v[: len(theta)] = theta
    if batch is not None:
        vs[: batch.shape[1]] = batch.T
    roots, saved = forward()
    if gradient:
        backward(*saved)
    return roots, g[: len(theta)]

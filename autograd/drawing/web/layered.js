// The layered layout of layout.py in the browser: boxes in ranks, each as close to its consumers as it can; a long edge
// keeps a lane free in every rank that it crosses. `sizes` are [width, height], `edges` [tail, head, width of the label].
// Gives {centres, curves, places, width, height}; a curve is Bezier points, a place the middle of an edge's label.

function arrange(sizes, edges) {
  const separation = 18,
    laneHeight = 12,
    count = sizes.length;

  // Ranks: the longest path to the last box
  const depth = Array(count).fill(0);
  for (const [tail, head] of [...edges].sort((x, y) => y[1] - x[1]))
    depth[tail] = Math.max(depth[tail], depth[head] + 1);
  const last = Math.max(...depth),
    rank = depth.map((d) => last - d);
  const height = sizes.map(([, h]) => h + separation),
    before = sizes.map(() => []),
    after = sizes.map(() => []);
  const routes = edges.map(([tail, head]) => {
    const route = [tail];
    for (let r = rank[tail] + 1; r < rank[head]; r++) {
      route.push(rank.push(r) - 1);
      height.push(laneHeight);
      before.push([]);
      after.push([]);
    }
    route.push(head);
    for (let i = 1; i < route.length; i++) {
      after[route[i - 1]].push(route[i]);
      before[route[i]].push(route[i - 1]);
    }
    return route;
  });
  let layers = Array.from({ length: last + 1 }, () => []);
  rank.forEach((r, item) => layers[r].push(item));

  // Order within the ranks: by where the neighbours are, back and forth; the order with the fewest crossings is kept
  const mean = (xs, otherwise) => (xs.length ? xs.reduce((sum, x) => sum + x, 0) / xs.length : otherwise);
  const positions = () => {
    const position = [];
    for (const layer of layers) layer.forEach((item, at) => (position[item] = at));
    return position;
  };
  function crossings() {
    const position = positions();
    let total = 0;
    for (const layer of layers) {
      const seen = [];
      for (const item of layer) {
        const targets = after[item].map((j) => position[j]);
        for (const target of targets) total += seen.filter((other) => other > target).length;
        seen.push(...targets);
      }
    }
    return total;
  }
  let best = layers.map((layer) => [...layer]),
    fewest = crossings();
  for (let sweep = 0; sweep < (rank.length < 600 ? 24 : 4) && fewest; sweep++) {
    const position = positions(),
      backwards = sweep % 2,
      neighbours = backwards ? after : before;
    for (const layer of backwards ? [...layers].reverse().slice(1) : layers.slice(1)) {
      const wish = new Map(
        layer.map((i) => [
          i,
          mean(
            neighbours[i].map((j) => position[j]),
            position[i],
          ),
        ]),
      );
      layer.sort((i, j) => wish.get(i) - wish.get(j));
      layer.forEach((item, at) => (position[item] = at));
    }
    const now = crossings();
    if (now < fewest) [best, fewest] = [layers.map((layer) => [...layer]), now];
  }
  layers = best;

  // Across: each as near to its neighbours as its rank allows (items that want to overlap move as one block)
  function apart(wanted, heights) {
    const offsets = [],
      blocks = [];
    heights.forEach((h, i) => offsets.push(i ? offsets[i - 1] + (heights[i - 1] + h) / 2 : 0));
    wanted.forEach((wish, i) => {
      let block = [wish - offsets[i], 1];
      while (blocks.length && blocks[blocks.length - 1][0] > block[0]) {
        const [other, n] = blocks.pop();
        block = [(block[0] * block[1] + other * n) / (block[1] + n), block[1] + n];
      }
      blocks.push(block);
    });
    return blocks.flatMap(([at, n]) => Array(n).fill(at)).map((at, i) => at + offsets[i]);
  }
  const v = rank.map(() => 0);
  const settle = (layer, wanted) =>
    apart(
      wanted,
      layer.map((i) => height[i]),
    ).forEach((at, place) => (v[layer[place]] = at));
  for (const layer of layers)
    settle(
      layer,
      layer.map(() => 0),
    );
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      settle(
        layer,
        layer.map((i) =>
          mean(
            [...before[i], ...after[i]].map((j) => v[j]),
            v[i],
          ),
        ),
      );
    }
  }

  // Along: a column per rank, and gaps wide enough for labels and slopes
  const gap = layers.map(() => 40);
  routes.forEach((route, e) =>
    route.slice(1).forEach((right, i) => {
      const left = route[i],
        rise = Math.abs(v[left] - v[right]);
      gap[rank[left]] = Math.max(gap[rank[left]], Math.min(130, 36 + rise / 5), i ? 0 : edges[e][2] + 38);
    }),
  );
  const left = [],
    right = [];
  let u = 0;
  layers.forEach((layer, r) => {
    const width = Math.max(0, ...layer.map((i) => (i < count ? sizes[i][0] : 0)));
    left.push(u);
    right.push(u + width);
    u += width + gap[r];
  });
  const middle = (item) => (left[rank[item]] + right[rank[item]]) / 2;

  // Where edges are attached to the sides of their boxes, in the order of where they go
  function ports(end, other) {
    const at = new Map(),
      found = [];
    routes.forEach((route, e) => at.set(end(route), [...(at.get(end(route)) ?? []), e]));
    for (const [box, list] of at) {
      list.sort((d, e) => v[other(routes[d])] - v[other(routes[e])]);
      const step = Math.min(22, (sizes[box][1] - 18) / Math.max(1, list.length - 1));
      list.forEach((e, place) => (found[e] = (place - (list.length - 1) / 2) * step));
    }
    return found;
  }
  const starts = ports(
    (route) => route[0],
    (route) => route[1],
  );
  const ends = ports(
    (route) => route[route.length - 1],
    (route) => route[route.length - 2],
  );
  const curves = routes.map((route, e) => {
    const tail = route[0],
      head = route[route.length - 1];
    let x = middle(tail) + sizes[tail][0] / 2,
      y = v[tail] + starts[e];
    const curve = [[x, y]];
    const line = (to) => {
      if (to > x) curve.push([x, y], [to, y], [(x = to), y]);
    };
    const bend = (from, to, across) => {
      line(from);
      const half = (from + to) / 2;
      curve.push([half, y], [half, across], [(x = to), (y = across)]);
    };
    for (const lane of route.slice(1, -1)) {
      bend(right[rank[lane] - 1], left[rank[lane]], v[lane]);
      line(right[rank[lane]]);
    }
    bend(right[rank[head] - 1], left[rank[head]], v[head] + ends[e]);
    line(middle(head) - sizes[head][0] / 2);
    return curve;
  });

  // Labels: a point of the curve near the middle of its first gap that covers no box and no other label, and of other edges little
  const taken = sizes.map(([w, h], i) => [middle(i), v[i], w + 6, h + 6]);
  const sampled = curves.map((curve) => {
    const points = [];
    for (let i = 0; i + 3 < curve.length; i += 3) {
      const [p, q, r, s] = curve.slice(i, i + 4);
      for (let step = 0; step <= 16; step++) {
        const t = step / 16,
          c = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
        points.push([0, 1].map((k) => c[0] * p[k] + c[1] * q[k] + c[2] * r[k] + c[3] * s[k]));
      }
    }
    return points;
  });
  const crossed = routes.length > 120 ? [] : sampled; // in a large graph that would take long
  const places = routes.map((route, e) => {
    const w = edges[e][2],
      h = 18,
      x0 = (right[rank[route[0]]] + left[rank[route[0]] + 1]) / 2,
      y0 = (v[route[0]] + v[route[1]]) / 2;
    const distance = ([x, y]) => Math.hypot(x - x0, y - y0);
    const overlap = ([x, y]) =>
      taken.reduce(
        (sum, [a, b, c, d]) =>
          sum + Math.max(0, (w + c) / 2 - Math.abs(x - a)) * Math.max(0, (h + d) / 2 - Math.abs(y - b)),
        0,
      );
    const hidden = ([x, y]) =>
      crossed.reduce(
        (sum, points, d) =>
          d === e ? sum : sum + points.filter(([a, b]) => Math.abs(a - x) < w / 2 && Math.abs(b - y) < h / 2).length,
        0,
      );
    let place = sampled[e][0],
      least = Infinity;
    for (const point of [...sampled[e]].sort((p, q) => distance(p) - distance(q)).slice(0, 30)) {
      const covered = Math.round(overlap(point)) + 12 * hidden(point);
      if (covered < least) [place, least] = [point, covered];
    }
    taken.push([...place, w + 8, h + 4]);
    return place;
  });

  const ys = [...curves.flat().map(([, y]) => y), ...sizes.flatMap(([, h], i) => [v[i] - h / 2, v[i] + h / 2])];
  const top = Math.min(...ys),
    down = ([x, y]) => [x, y - top];
  return {
    centres: sizes.map((_, i) => down([middle(i), v[i]])),
    curves: curves.map((curve) => curve.map(down)),
    places: places.map(down),
    width: u - gap[gap.length - 1],
    height: Math.max(...ys) - top,
  };
}

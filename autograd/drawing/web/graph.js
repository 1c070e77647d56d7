// A graph as data: `values` in topological order, the cost last. A leaf has op ""; another value has `operands`, each the
// place of a value in the list, or a plain number in brackets. `operations` are the rows of the table.

const grouped = (lists, operands) => {
  const scalars = lists.filter((many) => !many).length;
  const n = (operands.length - scalars) / Math.max(1, lists.length - scalars);
  let at = 0;
  return lists.map((many) => (many ? operands.slice(at, (at += n)) : operands[at++]));
};

// Forward: every value and its local derivatives. Backward: every gradient of the last value. `worth` holds the leaves'
// numbers; `problems` are the values that are not finite although all of their operands are.
function evaluated(values, worth) {
  const data = worth.slice(), partials = [], problems = [], cost = values.length - 1;
  values.forEach((value, i) => {
    if (!value.op) return;
    const operands = value.operands.map((x) => (typeof x === "number" ? data[x] : Number(x[0])));
    const operation = operations[value.op], listed = grouped(operation.lists, operands);
    data[i] = operation.value(...listed);
    partials[i] = operation.partials(...listed, data[i]);
    if (!Number.isFinite(data[i]) && operands.every(Number.isFinite)) problems.push(i);
  });
  const gradient = values.map(() => 0);
  gradient[cost] = 1;
  for (let i = cost; i >= 0; i--) {
    (values[i].operands || []).forEach((x, k) => {
      if (typeof x === "number") gradient[x] += gradient[i] * partials[i][k];
    });
  }
  return { data, partials, gradient, problems };
}

// What is done at each step of both passes, and the step at which the gradient of each value is complete
function passes(values) {
  const steps = [{ kind: "start" }], cost = values.length - 1, completeAt = new Map();
  values.forEach((value, i) => value.op && steps.push({ kind: "forward", i }));
  completeAt.set(cost, steps.length);
  steps.push({ kind: "seed", i: cost });
  for (let i = cost; i >= 0; i--) {
    (values[i].operands || []).forEach((x, k) => {
      if (typeof x !== "number") return;
      completeAt.set(x, steps.length);
      steps.push({ kind: "backward", i, k, x });
    });
  }
  steps.push({ kind: "end" });
  return { steps, completeAt };
}

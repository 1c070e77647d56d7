// Expressions as they are typed: text to a graph as data (graph.js). Never eval: a parser makes instructions in postfix
// order, a loop runs them. The twin of statements.py, which says more; `rows` are the table's rows: operands and lists.

class Fault extends Error {
  constructor(reason, at, end) {
    super(reason);
    Object.assign(this, { reason, at, end: Math.max(at + 1, end) });
  }
}

const LIMITS = { longest: 10000, deepest: 100, most: 1000 };
const SIGNS = Object.assign(Object.create(null), {
  "^": "pow",
  "\u00D7": "mul",
  "\u00B7": "mul",
  "\u00F7": "div",
  "\u2212": "sub",
});
const FUNCTIONS = Object.create(null);
for (const [name, row] of Object.entries(rows)) {
  if (!row.infix) FUNCTIONS[name] = row;
  else if (row.operands.length === 2) SIGNS[row.infix] = name;
}
if (rows.mod) SIGNS["%"] = "mod";
const RAISED = { "\u00B2": 2, "\u00B3": 3 };
const CONSTANTS = Object.assign(Object.create(null), { pi: Math.PI, "\u03C0": Math.PI });
const isFunction = (word) => word in FUNCTIONS || Object.hasOwn(rows, word);

const wordOf = (table, word) => (Object.hasOwn(table, word) ? table[word] : undefined);

// The function that was meant: of another name for it, of its beginning, or with few letters to change, if any
function nearest(word, names) {
  const other = wordOf(opening.otherNames, word) ?? word.replaceAll("arc", "a");
  if (names.includes(other)) return other;
  const begun = word.length > 2 && names.find((name) => name.startsWith(word));
  if (begun) return begun;
  const distance = (a, b) => {
    let older = [],
      before = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 0; i < a.length; i++) {
      const line = [i + 1];
      for (let j = 0; j < b.length; j++) {
        line.push(Math.min(before[j + 1] + 1, line[j] + 1, before[j] + (a[i] !== b[j])));
        if (i && j && a[i - 1] === b[j] && a[i] === b[j - 1]) line[j + 1] = Math.min(line[j + 1], older[j - 1] + 1);
      }
      [older, before] = [before, line];
    }
    return before[b.length];
  };
  const [best] = names.map((name) => [distance(word.slice(0, 30), name), name]).sort((x, y) => x[0] - y[0]);
  return best[0] <= Math.max(1, Math.floor(word.length / 3)) ? best[1] : "";
}

class Parser {
  constructor(text) {
    this.text = text;
    if (text.length > LIMITS.longest)
      throw new Fault(`the text is longer than ${LIMITS.longest} characters`, LIMITS.longest, 0);
    const pattern =
      /(?<blank>[ \t\r\f\u00a0]+|#[^\n]*)|(?<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?<name>[\p{L}_][\p{L}\p{Nd}_]*)|(?<sign>\*\*|==|<=|>=|!=|[\s\S])/gu;
    this.tokens = [];
    for (const found of text.matchAll(pattern)) {
      const kind = ["number", "name", "sign"].find((kind) => found.groups[kind] !== undefined);
      if (kind) this.tokens.push([kind, found[0], found.index]);
    }
    this.tokens.push(["sign", "", text.length]);
    this.place = this.depth = this.open = this.operations = 0;
    this.code = [];
  }
  fault(reason, at, end) {
    const [, word, here] = this.tokens[this.place];
    return new Fault(reason, at ?? here, end ?? here + word.length);
  }
  peek() {
    while (this.open && this.tokens[this.place][1] === "\n") this.place++;
    return this.tokens[this.place][1];
  }
  next() {
    this.peek();
    return this.tokens[this.place++];
  }
  emit(kind, what, at, size = 0) {
    const [, word, start] = this.tokens[this.place - 1];
    this.code.push({ kind, what, at, end: start + word.length, size });
    if (kind === "call" && ++this.operations > LIMITS.most)
      throw this.fault(`there are more than ${LIMITS.most} operations`);
  }
  statements() {
    const found = [];
    for (;;) {
      while (this.peek() === ";" || this.peek() === "\n") this.place++;
      if (!this.peek()) return found;
      found.push(this.statement());
    }
  }
  statement() {
    const [kind, first, at] = this.tokens[this.place];
    let name = "";
    if (kind === "name" && this.tokens[this.place + 1][1] === "=") {
      if (first in CONSTANTS) throw this.fault(`${first} is a number already: choose another name`);
      if (isFunction(first)) throw this.fault(`${first} is a function: choose another name`);
      name = first;
      this.place += 2;
    }
    this.code = [];
    this.open = this.depth = 0;
    this.sum();
    const word = this.peek();
    if (word && word !== ";" && word !== "\n") throw this.fault(this.surprise(word));
    const { code } = this;
    return {
      name,
      at,
      end: code[code.length - 1].end,
      code,
      isNumber: Boolean(name) && !code.some((step) => step.kind === "name"),
    };
  }
  surprise(word) {
    if (word === ")" || word === "]") return `this ${word} closes nothing`;
    if (word === "=")
      return "= gives a name its value: it stands after the first name of a statement, as in z = w*a + b";
    if (["==", "<", ">", "<=", ">=", "!="].includes(word))
      return "values are not compared here: where(a - b, x, y) is x where a is above b, and y elsewhere";
    if (word === ",") return "a comma stands between the operands of a function only";
    if (this.tokens[this.place][0] !== "sign" || word === "(" || word === "[")
      return "an operator is missing here: a product is written 2*x";
    return `${word} is not part of an expression`;
  }
  sum() {
    this.chain(() => this.product(), ["add", "sub"]);
  }
  product() {
    this.chain(() => this.unary(), ["mul", "div", "mod"]);
  }
  chain(part, names) {
    const at = this.tokens[this.place][2];
    part();
    while (names.includes(SIGNS[this.peek()])) {
      const name = SIGNS[this.next()[1]];
      part();
      this.emit("call", name, at, 2);
    }
  }
  unary() {
    const word = this.peek(),
      at = this.tokens[this.place][2];
    if (++this.depth > LIMITS.deepest)
      throw this.fault(`more than ${LIMITS.deepest} parentheses or signs stand inside each other here`);
    if (word === "-" || word === "\u2212" || word === "+") {
      this.place++;
      this.unary();
      if (word !== "+") this.emit("call", "neg", at, 1);
    } else this.power();
    this.depth--;
  }
  power() {
    this.peek();
    const at = this.tokens[this.place][2];
    this.atom();
    while (this.peek() in RAISED) {
      const [, word, place] = this.next();
      this.emit("number", RAISED[word], place);
      this.emit("call", "pow", at, 2);
    }
    if (SIGNS[this.peek()] === "pow") {
      this.place++;
      this.unary();
      this.emit("call", "pow", at, 2);
    }
  }
  atom() {
    const word = this.peek(),
      [kind, , at] = this.tokens[this.place];
    if (kind === "number") {
      if (!Number.isFinite(Number(word))) throw this.fault("this number is too large");
      this.place++;
      this.emit("number", Number(word), at);
    } else if (kind === "name") this.name(word, at);
    else if (word === "(") {
      this.place++;
      this.open++;
      this.sum();
      this.close(")", at);
    } else if (word === "[") throw this.fault("a list stands only inside a function of many, as in sum([a, b])");
    else if (["", ";", "\n", ")", "]", ",", "="].includes(word) || word in SIGNS || word in RAISED)
      throw this.fault("here a number, a name or a ( is missing", at, at + 1);
    else throw this.fault(this.surprise(word));
  }
  close(bracket, opened) {
    const word = this.peek();
    if (word === bracket) {
      this.place++;
      this.open--;
    } else if (word === "" || word === ";")
      throw this.fault(`this ${this.text[opened]} is never closed`, opened, opened + 1);
    else throw this.fault(this.surprise(word));
  }
  name(word, at) {
    this.place++;
    const called = this.peek() === "(";
    if (word in FUNCTIONS && !called)
      throw this.fault(`${word} is a function: write ${word}(...)`, at, at + word.length);
    if (!called) this.emit(...(word in CONSTANTS ? ["number", CONSTANTS[word], at] : ["name", word, at]));
    else if (!(word in FUNCTIONS)) {
      const one = wordOf(opening.ofSeveral, word);
      if (one)
        throw this.fault(`${word} gives several values, and an expression is one: write ${one}`, at, at + word.length);
      const near = nearest(word, Object.keys(FUNCTIONS));
      throw this.fault(
        `there is no function ${word}${near ? `; did you mean ${near}?` : `; a product is written ${word}*(...)`}`,
        at,
        at + word.length,
      );
    } else this.call(word, FUNCTIONS[word], at);
  }
  call(name, row, at) {
    const opened = this.next()[2],
      start = this.code.length;
    this.open++;
    let sizes = [];
    while (this.peek() !== ")" || sizes.length) {
      if (this.peek() === "[" && row.lists.length) sizes.push(this.list());
      else {
        this.sum();
        sizes.push(0);
      }
      if (this.peek() !== ",") break;
      this.place++;
    }
    this.close(")", opened);
    if (row.operands.length === 1 && row.lists.length === 1 && sizes.length && !sizes.some(Boolean)) {
      this.emit("list", null, this.code[start].at, sizes.length);
      sizes = [sizes.length];
    }
    const least = row.operands.length - Object.keys(row.defaults).length,
      many = (x) => row.lists.includes(x);
    const fits =
      sizes.every((size, i) => Boolean(size) === many(row.operands[i])) && new Set(sizes.filter(Boolean)).size < 2;
    if (!(least <= sizes.length && sizes.length <= row.operands.length && fits)) {
      const form = row.operands.map((x) => (many(x) ? `[${x[0]}1, ${x[0]}2]` : x)).join(", ");
      throw this.fault(`${name} is written ${name}(${form})`, at, this.tokens[this.place - 1][2] + 1);
    }
    for (const x of row.operands.slice(sizes.length)) this.emit("number", row.defaults[x], at);
    this.emit("call", name, at, row.operands.length);
  }
  list() {
    const opened = this.next()[2];
    this.open++;
    let size = 0;
    while (this.peek() !== "]" || size) {
      this.sum();
      size++;
      if (this.peek() !== ",") break;
      this.place++;
    }
    this.close("]", opened);
    this.emit("list", null, opened, size);
    return size;
  }
}

// The graph of a text: {values, spans}, as graph.js has them, each value with its label; a Fault says what is wrong, where.
// A value is {node: its number} while the graph is built, a constant a plain number, a list an array.
function graphOf(text, starts) {
  const statements = new Parser(text).statements();
  if (!statements.length) throw new Fault("the text holds no expression", 0, 0);
  const names = new Map(),
    known = new Map(),
    leaves = new Map(),
    nodes = [];
  for (const statement of statements) {
    if (names.has(statement.name))
      throw new Fault(
        `${statement.name} has its value already, from an earlier statement`,
        statement.at,
        statement.end,
      );
    if (statement.name) names.set(statement.name, statement);
  }
  let waiting = 0;
  function named(step) {
    const name = step.what;
    if (known.has(name)) return known.get(name);
    const statement = names.get(name);
    if (statement && !statement.isNumber)
      throw new Fault(`${name} is used here before the statement that computes it`, step.at, step.end);
    if (!leaves.has(name)) {
      const data = statement ? given.get(name) : starts[waiting++ % starts.length];
      leaves.set(name, { node: nodes.push({ op: "", label: name, data, free: !statement, at: step.at, end: step.end }) - 1 });
    }
    return leaves.get(name);
  }
  function call(step, operands) {
    const flat = operands.flat(),
      noValue = () => new Fault(`${step.what} has no finite value here`, step.at, step.end);
    if (flat.every((x) => typeof x === "number")) {
      const out = operations[step.what].value(...operands);
      if (!Number.isFinite(out)) throw noValue();
      return out;
    }
    return {
      node:
        nodes.push({
          op: step.what,
          label: "",
          operands: flat.map((x) => (typeof x === "number" ? [x] : x.node)),
          at: step.at,
          end: step.end,
        }) - 1,
    };
  }
  function run(statement) {
    const stack = [];
    for (const step of statement.code) {
      if (step.kind === "number") stack.push(step.what);
      else if (step.kind === "name") stack.push(named(step));
      else {
        const operands = stack.splice(stack.length - step.size, step.size);
        stack.push(step.kind === "list" ? operands : call(step, operands));
      }
    }
    return stack[0];
  }
  const given = new Map();
  for (const statement of statements) if (statement.isNumber) given.set(statement.name, run(statement));
  const formulas = statements.filter((statement) => !statement.isNumber);
  const last = formulas[formulas.length - 1] ?? statements[statements.length - 1];
  let result;
  for (const statement of formulas) {
    result = run(statement);
    if (!statement.name) continue;
    known.set(statement.name, result);
    if (typeof result !== "number" && !nodes[result.node].label) nodes[result.node].label = statement.name;
  }
  if (result === undefined || typeof result === "number")
    throw new Fault("a number alone has no gradient: write an expression with a name in it", last.at, last.end);
  if (!nodes[result.node].label) {
    nodes[result.node].label = ["C", "cost", ...[...names, ...leaves, 0].map((_, i) => `C_${i}`)].find(
      (name) => !names.has(name) && !leaves.has(name),
    );
  }
  // what the cost depends on, in the order of the statements, the cost last
  const needed = new Set([result.node]);
  for (let i = result.node; i >= 0; i--)
    if (needed.has(i)) for (const x of nodes[i].operands ?? []) if (typeof x === "number") needed.add(x);
  const kept = [...needed].sort((i, j) => i - j),
    place = new Map(kept.map((i, at) => [i, at]));
  return kept.map((i) => ({
    ...nodes[i],
    operands: nodes[i].operands?.map((x) => (typeof x === "number" ? place.get(x) : x)),
  }));
}

// The page: its two modes, the address that holds its state, and the keyboard.

let mode = "";
function show_message(text) {
  element("message").textContent = text;
  element("message").hidden = !text;
}

function enter(next, focus = false) {
  mode = next;
  for (const name of ["network", "expression"]) {
    const on = name === mode,
      tab = element(`tab-${name}`);
    element(name).hidden = !on;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
    if (on && focus) tab.focus();
  }
  if (mode === "expression") {
    train(false);
    if (desk.values.length) {
      draw();
      show();
    }
  } else {
    animate(false);
    if (lab.trainer && lab.builtFor !== element("net").clientWidth) {
      lab.builtFor = element("net").clientWidth;
      build();
      paint();
      report();
    }
  }
  document.body.dataset.mode = mode;
}

// The state as the part of an address after #, short: what stands as it is from the start is left out
function address() {
  const state = new URLSearchParams();
  if (mode === "expression") {
    state.set("expression", element("text").value);
    for (const i of desk.leaves ?? [])
      if (!Object.is(desk.worth[i], desk.start[i])) state.append("set", `${desk.values[i].label}=${desk.worth[i]}`);
    if (desk.now !== desk.steps.length - 1) state.set("step", desk.now);
    if (desk.leaves && desk.chosen !== desk.leaves[0]) state.set("show", desk.chosen);
  } else {
    state.set("data", lab.data);
    for (const name of ["n", "noise", "activation", "loss", "optimizer", "lr", "batch", "seed"])
      if (lab[name] !== DEFAULTS[name]) state.set(name, lab[name]);
    if (lab.data === "csv") {
      state.delete("n");
      state.set("csv", lab.csv);
    }
    state.set("layers", lab.layers.join("-"));
    if (lab.changed)
      state.set("weights", [...lab.trainer.network.theta].map((x) => Number(x.toPrecision(8))).join("_"));
    else if (lab.trainer?.epoch) state.set("epoch", lab.trainer.epoch);
    const { layer, j, k } = lab.parameter;
    if (layer !== 1 || j || k) state.set("show", `${layer}.${j}.${k ?? "b"}`);
    if (lab.example >= 0) state.set("example", lab.example);
  }
  return `#${[...state].map((entry) => entry.map(encodeURIComponent).join("=")).join("&")}`;
}
let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    try {
      if (address().length < 60000) history.replaceState(null, "", address());
    } catch {
      /* a frame without an address */
    }
  }, 250);
}

// In a link made by hand a + is a +, and what is no code for a letter stands for itself
function parsed(hash) {
  const state = new URLSearchParams(),
    decoded = (text) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    };
  for (const part of hash.replace(/^#/, "").slice(0, 100000).split("&")) {
    const [name, ...rest] = part.split("=");
    if (part) state.append(decoded(name), decoded(rest.join("=")));
  }
  return state;
}

// What an address asks for; what it asks for in vain is said, and the rest is done
function visit(hash) {
  const vain = [],
    wrong = (name, text, reason) =>
      vain.push(`${name}=${text.length > 40 ? `${text.slice(0, 39)}\u2026` : text} (${reason})`);
  let state = parsed(hash);
  const known = [
    "expression",
    "set",
    "step",
    "show",
    "data",
    "csv",
    "layers",
    "epoch",
    "weights",
    "example",
    "n",
    "noise",
    "activation",
    "loss",
    "optimizer",
    "lr",
    "batch",
    "seed",
  ];
  for (const name of new Set(state.keys()))
    if (!known.includes(name)) wrong(name, state.get(name), "there is no such setting");
  const expression = state.has("expression");
  const chosen = expression
    ? "expression"
    : [...state.keys()].some((name) => known.includes(name))
      ? "network"
      : opening.mode;

  train(false);
  animate(false);
  if (expression || !desk.text) {
    const text = state.get("expression") ?? opening.text;
    element("text").value = text;
    desk.moved.clear();
    if (!read(text)) {
      if (!desk.text) read(opening.text);
      element("text").value = text;
      read(text);
    }
    if (expression) {
      for (const entry of state.getAll("set")) {
        const at = entry.lastIndexOf("="),
          i = desk.leaves.find((leaf) => desk.values[leaf].label === entry.slice(0, at)),
          x = Number(entry.slice(at + 1));
        if (i === undefined || entry.slice(at + 1).trim() === "" || !Number.isFinite(x))
          wrong("set", entry, i === undefined ? "there is no such leaf" : "not a number");
        else move(i, x);
      }
      const number = (name, most) => {
        const text = state.get(name);
        if (text === null) return null;
        if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
        wrong(name, text, `a whole number from 0 to ${most}`);
        return null;
      };
      const value = number("show", desk.values.length - 1),
        step = number("step", desk.steps.length - 1);
      if (value !== null) choose(value);
      go(step ?? desk.steps.length - 1, step !== null);
    }
  }

  if (!expression || !lab.trainer) {
    if (expression) state = new URLSearchParams();
    const wanted = { ...DEFAULTS, layers: [...DEFAULTS.layers] };
    for (const name of ["data", "activation", "loss", "optimizer"]) {
      const text = state.get(name);
      if (text === null) continue;
      if (CHOICES[name].includes(text)) wanted[name] = text;
      else wrong(name, text, `one of ${CHOICES[name].join(", ")}`);
    }
    if (!state.has("noise") && wanted.data in SHIPPED_NOISE) wanted.noise = SHIPPED_NOISE[wanted.data];
    for (const name of ["n", "lr", "batch"]) {
      const text = state.get(name);
      if (text === null) continue;
      if (CHOICES[name].map(String).includes(text)) wanted[name] = Number(text);
      else wrong(name, text, `one of ${CHOICES[name].join(", ")}`);
    }
    const numeric = (name, least, most, whole) => {
      const text = state.get(name),
        x = Number(text);
      if (text === null) return;
      if (/^[\d.]+(e-?\d+)?$/.test(text) && x >= least && x <= most && (!whole || Number.isInteger(x)))
        wanted[name] = x;
      else wrong(name, text, `a ${whole ? "whole " : ""}number from ${least} to ${most}`);
    };
    numeric("noise", 0, 0.5, false);
    numeric("seed", 0, 2 ** 32 - 1, true);
    numeric("epoch", 0, 5000, true);
    numeric("example", 0, MOST_POINTS - 1, true);
    if (state.has("layers")) {
      const text = state.get("layers"),
        sizes = text === "" ? [] : text.split("-").map((size) => (/^\d+$/.test(size) ? Number(size) : NaN));
      if (sizes.length <= MOST_LAYERS && sizes.every((size) => size >= 1 && size <= MOST_NEURONS))
        wanted.layers = sizes;
      else wrong("layers", text, `at most ${MOST_LAYERS} layers of 1 to ${MOST_NEURONS} neurons, as in 6-4`);
    }
    if (state.has("csv")) wanted.csv = state.get("csv");
    const { epoch = 0, example = -1, ...settings } = wanted;
    Object.assign(lab, settings, { example, parameter: { layer: 1, j: 0, k: 0 } });
    const shown = state.get("show");
    if (shown !== null) {
      const [, layer, j, k] = /^(\d)\.(\d)\.(\d|b)$/.exec(shown) ?? [],
        widths = [2, ...lab.layers, 1];
      if (layer && widths[layer] > j && layer > 0 && (k === "b" || widths[layer - 1] > k))
        lab.parameter = { layer: Number(layer), j: Number(j), k: k === "b" ? null : Number(k) };
      else wrong("show", shown, "a parameter as layer.neuron.input, or layer.neuron.b, of this network");
    }
    controls();
    if (!load()) vain.push("the points of the link have a fault");
    restart(true);
    if (state.has("weights")) {
      const { theta } = lab.trainer.network,
        text = state.get("weights"),
        numbers = text.split("_").map((x) => (x.trim() ? Number(x) : NaN));
      if (numbers.length === theta.length && numbers.every((x) => Math.abs(x) < LARGEST_WEIGHT)) {
        theta.set(numbers);
        Object.assign(lab, { changed: "the weights came from a link" });
        lab.trainer.ready = false;
      } else wrong("weights", text, `${theta.length} numbers with _ between them`);
    }
    const until = performance.now() + 1500;
    while (lab.trainer.epoch < epoch && performance.now() < until && lab.trainer.finishEpoch(lab.lr));
    paint();
    explain();
    if (lab.trainer.epoch < epoch && !lab.trainer.broken) {
      lab.goal = epoch;
      train(true);
    }
  }
  show_message(
    vain.length
      ? `This link asks for what there is not: ${vain.slice(0, 4).join("; ")}${vain.length > 4 ? `; and ${vain.length - 4} more` : ""}. The rest of it is shown.`
      : "",
  );
  enter(chosen);
}

function copy(text, button) {
  const before = button.textContent,
    say = (words) => {
      button.textContent = words;
      setTimeout(() => (button.textContent = before), 1500);
    };
  const byHand = () => {
    const field = made("textarea", { value: text });
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    say(done ? "copied" : "not allowed here");
  };
  if (navigator.clipboard?.writeText) navigator.clipboard.writeText(text).then(() => say("copied"), byHand);
  else byHand();
}

for (const name of ["network", "expression"])
  element(`tab-${name}`).addEventListener("click", () => {
    enter(name);
    remember();
  });
element("tabs").addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  enter(mode === "network" ? "expression" : "network", true);
  remember();
  event.preventDefault();
  event.stopPropagation();
});
element("share").addEventListener("click", () => copy(location.href.split("#")[0] + address(), element("share")));
document.addEventListener("keydown", (event) => {
  const { tagName, type } = event.target;
  if (
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    tagName === "SELECT" ||
    tagName === "TEXTAREA" ||
    tagName === "SUMMARY" ||
    (tagName === "INPUT" && type !== "range")
  )
    return;
  const pressed = tagName === "BUTTON" || tagName === "INPUT";
  if (mode === "expression") {
    const to = {
      PageUp: desk.now - 1,
      PageDown: desk.now + 1,
      ...(tagName === "INPUT"
        ? {}
        : { ArrowLeft: desk.now - 1, ArrowRight: desk.now + 1, Home: 0, End: desk.steps.length - 1 }),
    }[event.key];
    if (to !== undefined) {
      animate(false);
      go(to);
    } else if (event.key === " " && !pressed) animate(!ticking);
    else return;
  } else if (event.key === " " && !pressed) train(!lab.running);
  else if (event.key === "ArrowRight" && tagName !== "INPUT") step();
  else if (event.key.toLowerCase() === "r" && !pressed) element("restart").click();
  else return;
  event.preventDefault();
});

function recolour() {
  colours();
  thumbnails();
  if (!lab.trainer) return;
  scatter();
  paint();
  report();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
addEventListener("hashchange", () => visit(location.hash));
recolour();
visit(location.hash);
check();

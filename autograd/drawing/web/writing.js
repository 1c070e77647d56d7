// Numbers to a few significant digits, never 0.0000 for what is not zero: as text, as HTML, in an SVG text element

function significant(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "\u221E" : "\u2212\u221E";
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e").map(Number);
  let text;
  if (exponent < -4 || exponent >= 6) text = `${mantissa}e${exponent}`;
  else if (exponent >= digits) text = x.toFixed(0);
  else text = String(Number(x.toPrecision(digits)));
  return text.replaceAll("-", "\u2212");
}
const html = (x) => {
  const [mantissa, power] = significant(x).split("e");
  return power === undefined ? mantissa : `${mantissa}\u00A0\u00D7\u00A010<sup>${power}</sup>`;
};
// What is said of a number box that holds none, or one that cannot be taken
function refused(what, wanted, input, stays) {
  const given = input.value === "" ? "" : `, not ${input.value.length > 24 ? `${input.value.slice(0, 23)}\u2026` : input.value}`;
  return `${what} takes ${wanted}${given}; it stays at ${significant(stays, 10)}.`;
}
function write(text, x, before = "") {
  const [mantissa, power] = significant(x).split("e");
  text.textContent = before + mantissa + (power === undefined ? "" : "\u00A0\u00D7\u00A010");
  if (power === undefined) return;
  const raised = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
  raised.setAttribute("dy", "-5");
  raised.setAttribute("font-size", "10");
  raised.textContent = power;
  text.append(raised);
}

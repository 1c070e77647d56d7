"""Labels, notes and names are text in every way of showing: no element, attribute, command or call comes of them."""

import ast
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

import nn
from autograd import Value, compile, draw, exercise, explain, grad, nudge, paths, play, playground, primitive, tanh

# Each would make an element, attribute, command or call named `evil` where it is not written as text.
HOSTILE = {
    "element": "<evil onevil=evil()>",
    "closed attribute": '"\'><evil onevil="evil()"> " onevil="evil()',
    "closed script": "</script></style></title></text></textarea>--><evil>",
    "comment": "<!--<script><evil>",
    "CDATA": "]]><evil/>",
    "entities": "&lt;evil&gt;&#60;evil>",
    "own paragraph": "\n\n<evil>\n\n",
    "Markdown": '`</code><evil>` [x](javascript:evil()) ![x](x"onevil="evil())',
    "fence": "```\n<evil>\n```\n\n<evil onevil=evil()>\n\n| <evil> |\n|---|",
    "LaTeX": "}$ \\evil{\\input{evil}} $${\\href{javascript:evil()}{x}",
    "DOT": '"]; evil [URL="javascript:evil()"]; "',
    "DOT continued": '\\" URL="javascript:evil()" \\N \\\\" evil="',
    "JavaScript": "`${evil()}` '+evil()+' \"+evil()+\" \\u0027\u2028evil()\u2029",
    "Python": "'''\"\"\"\nevil()\n\\\nevil() #",
    "template": "{{evil}} {evil} %(evil)s $evil {0.__class__}",
    "controls": "\x00\x1b[31m\r\u202eevil",
}


def test_what_is_not_text_is_noticed():
    for page in ("<evil>", "<p onevil=1>", "<script>evil()</script>", '<a href="javascript:evil()">'):
        with pytest.raises(AssertionError):
            hold_text(page)


class Tags(HTMLParser):
    """The elements and attributes that a browser would make of a page, and its scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.scripts = set(), {}, []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= dict(attrs)
        if tag == "script":
            self.scripts.append([dict(attrs).get("type", ""), ""])

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1][1] += data


def hold_text(page):
    """Assert that a page has nothing that its labels made."""
    found = Tags(page)
    assert "evil" not in found.tags
    assert not {"onevil", "evil"} & set(found.attributes)
    links = [found.attributes.get(name) or "" for name in ("href", "src", "xlink:href", "action")]
    assert not [link for link in links if "javascript:" in link]
    for kind, script in found.scripts:
        if "json" in kind:
            json.loads(script)
        elif "evil" in script:  # in a string of the program, if anywhere
            code = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', script)
            assert "evil" not in code


def cost_of(label):
    w, a = Value(0.5, label=label), Value(2.0, label=label + "2")
    C = (tanh(w * a) - 1) ** 2 + w
    C.label = "C" + label
    C.backward()
    return C, w


def model_of(label):
    model = nn.MLP(2, [2, 1], "tanh", seed=0)
    for parameter in model.parameters():
        parameter.label = label
    return model


PAGES = {
    "draw, SVG": lambda C, w: draw(C).svg,
    "draw in a notebook": lambda C, w: draw(C)._repr_html_(),
    "a Value in a notebook": lambda C, w: C._repr_mimebundle_()["text/html"],
    "play": lambda C, w: play(C).html,
    "play in a notebook": lambda C, w: play(C)._repr_html_(),
    "paths": lambda C, w: paths(C, w)._repr_mimebundle_()["text/html"],
    "nudge": lambda C, w: nudge(C, w).html(),
    "nudge, SVG": lambda C, w: nudge(C, w).svg,
    "sweep": lambda C, w: nudge(C, w).sweep().html(),
    "sweep, SVG": lambda C, w: nudge(C, w).sweep().svg,
    "exercise": lambda C, w: exercise(C).html,
    "exercise, sheet": lambda C, w: exercise(C).sheet.svg,
    "exercise, solution": lambda C, w: exercise(C).solution.svg,
    "exercise in a notebook": lambda C, w: exercise(C)._repr_mimebundle_()["text/html"],
    "model": lambda C, w: model_of(w.label)._repr_mimebundle_()["text/html"],
    "history": lambda C, w: nn.History([1.0, 0.5], metrics={w.label: [1.0, 0.5]})._repr_mimebundle_()["text/html"],
}


@pytest.mark.parametrize("way", PAGES)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_text_in_html_and_svg(name, way):
    hold_text(PAGES[way](*cost_of(HOSTILE[name])))


SHOWN = [way for way in PAGES if way not in ("play", "exercise") and "SVG" not in way]


@pytest.mark.parametrize("way", SHOWN)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_text_in_a_notebook_that_was_exported_as_markdown(name, way):
    markdown_it = pytest.importorskip("markdown_it")
    shown = PAGES[way](*cost_of(HOSTILE[name]))
    hold_text(markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(f"Before.\n\n{shown}\n"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_text_in_markdown_latex_dot_python_and_on_the_terminal(name, tmp_path):
    label = HOSTILE[name]
    C, w = cost_of(label)
    markdown_it = pytest.importorskip("markdown_it")
    told = explain(C, w)
    hold_text(markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(told.markdown))
    assert not re.search(r"(?<!\\)(?:\\\\)*\\(?:evil|input|href)\b", told.latex)
    for shown in (repr(C), str(told), str(paths(C, w)), str(nudge(C, w)), str(nn.summary(model_of(label)))):
        assert "\x1b" not in shown
        assert "\x00" not in shown
    if shutil.which("dot"):
        laid = subprocess.run(["dot", "-Tsvg"], input=draw(C).dot, capture_output=True, text=True, check=True).stdout
        hold_text(laid)
        assert "<title>evil</title>" not in laid


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_text_in_a_compiled_program(name):
    pytest.importorskip("numpy")
    C, w = cost_of(HOSTILE[name])
    program = compile(C, [w])
    tree = ast.parse(program.source)
    assert "evil" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    hold_text(program._repr_html_())


@pytest.mark.parametrize("name", HOSTILE)
def test_the_playground_opens_with_an_expression_or_not_at_all(name):
    with pytest.raises(ValueError, match=r"evil|line|expected|understood|character|name"):  # so it gets into no page
        playground(f"C = (w - 1)^2 + {HOSTILE[name]}")


def test_a_note_of_an_operation_is_text_wherever_it_is_shown():
    f = primitive("hostile_note", "x * x", "2 * x", note=HOSTILE["closed script"] + HOSTILE["Python"])
    x = Value(2.0, label="x")
    C = f(x) + x
    C.backward()
    for way in PAGES.values():
        hold_text(way(C, x))
    assert grad(f)(3.0) == 6.0


@pytest.mark.parametrize(
    "expression",
    ["9**9**9**9", "x ** 9**9**9**9", "(9**9)**9**9", "1e308 * 10", "-" * 9999 + "x", "(" * 999 + "x" + ")" * 999,
     "9" * 9999 + " * x", "x" + " + x" * 100_000, "__import__('os')", "x.__class__", "[x for x in y]", "lambda: x"],
)  # fmt: skip
def test_an_expression_that_would_take_all_day_or_reach_out_is_refused_before_it_is_computed(expression):
    with pytest.raises(ValueError, match=r"value|expression|understood|finite"):
        primitive("hostile", expression, "1", operands="x")
    with pytest.raises(ValueError, match=r"value|expression|understood|finite"):
        primitive("hostile", "x", expression, operands="x")
    assert not hasattr(Value, "hostile")

"""Build the site: the playground, the guide, the notebooks, a gallery, exercises and the reference.

    pip install -e '.[docs]' && python .github/site/build.py build/site

Everything is made from what the repository holds: the README, the notebooks as they were executed, the docstrings, the
table of operations. A link that leads nowhere, or a public name without a docstring, fails the build.
"""

import importlib.metadata
import inspect
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import autograd
import nn
from autograd import Value, draw, exercises, play, relu, sigmoid, tanh

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/glassgrad/glassgrad/blob/main/"

REMARKS = {
    "chain": "one factor after the other",
    "shared": "a value that is used twice",
    "paths": "several paths, added up",
    "neuron": "weight, bias, activation, cost",
    "layers": "a neuron behind a neuron",
}
SCHEMES = (("default", "light"), ("slate", "dark"))
# The reference, by what one looks for. A public name that no page takes goes to its package's last page.
REFERENCE = {
    "Values and derivatives": (
        "autograd",
        "Value gradients zero_grad grad value_and_grad jacobian hessian jvp vjp hvp gradcheck count_multiplications",
    ),
    "Seeing": ("autograd", "draw explain paths nudge play exercise exercises playground"),
    "Compiling": ("autograd", "compile"),
    "Operations": ("autograd", ""),
    "Layers and models": ("nn", "MLP Layer Neuron Module save load summary to_torch from_torch"),
    "Training": (
        "nn",
        "fit History Live Panel SGD RMSprop Adam AdamW Optimizer linear_decay cosine_decay warmup clip_gradient_norm "
        "MLPClassifier MLPRegressor",
    ),
    "Losses": (
        "nn",
        "squared_error mean_squared_error absolute_error huber hinge binary_cross_entropy cross_entropy "
        "l1_penalty l2_penalty",
    ),
    "Data, evaluation and plots": ("nn", ""),
}


def main(site: Path) -> None:
    """Write the pages, and have them built."""
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        pages.mkdir()
        mathematics(pages)
        nav = [
            {"Playground": front_page(pages)},
            {"Guide": guide(pages)},
            {"Notebooks": notebooks(pages)},
            {"Gallery": gallery(pages)},
            {"Reference": [*reference(pages), {"All operations and their derivatives": operations(pages)}]},
            {"Project": copied(pages, "CHANGELOG.md", "CONTRIBUTING.md")},
        ]
        settings = (Path(__file__).parent / "mkdocs.yml").read_text()
        for word, path in ("PAGES", pages), ("SITE", site.resolve()), ("HERE", Path(__file__).resolve().parent):
            settings = settings.replace(word, path.as_posix())
        config = Path(folder) / "mkdocs.yml"
        config.write_text(f"{settings}nav: {nav!r}\n")
        subprocess.run([sys.executable, "-m", "mkdocs", "build", "--clean", "--quiet", "-f", str(config)], check=True)


def mathematics(pages: Path) -> None:
    """MathJax, which sets the formulas: the package's own copy, so that nothing is loaded from another host."""
    files = importlib.metadata.files("sphinx-mathjax-offline") or []
    [start] = [file for file in files if file.name == "tex-mml-chtml.js"]
    shutil.copytree(Path(str(start.locate())).parent, pages / "mathjax")
    (pages / "mathjax/settings.js").write_text(
        "window.MathJax = {tex: {inlineMath: [['$', '$'], ['\\\\(', '\\\\)']], displayMath: [['$$', '$$']]},"
        " options: {ignoreHtmlClass: 'highlight|jp-CodeCell-input'}};\n"
    )


def front_page(pages: Path) -> str:
    """The playground, in its frame."""
    if (ROOT / ".github/playground/index.html").exists():
        shutil.copytree(ROOT / ".github/playground", pages / "playground")
    found = re.search(
        r"^A scalar autograd engine.*?(?=\n\n)", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert found
    grow = "new ResizeObserver(() => this.style.height = this.contentDocument.documentElement.scrollHeight + 'px')"
    frame = (
        '<iframe src="playground/index.html" title="The playground" style="width:100%;height:80vh;border:0" '
        f'onload="if (this.contentDocument) {grow}.observe(this.contentDocument.body)"></iframe>'
    )
    links = (
        "[Start](guide.md#start) · [the guide](guide.md) · [notebooks](notebooks/index.md) to read or to run here · "
        "[a gallery](gallery.md) of backward passes and exercises · "
        "[the playground on a page of its own](playground/index.html)"
    )
    (pages / "index.md").write_text(
        "\n\n".join(["---\nhide: [toc]\n---", "# glassgrad", found[0], links, frame]) + "\n"
    )
    # What is framed, and pictures, are light or dark as the page around them is.
    schemes = [
        f"[data-md-color-scheme={name}] :is(iframe, img) {{ color-scheme: {scheme} }}" for name, scheme in SCHEMES
    ]
    narrow = "@media (max-width: 600px) { .jp-InputPrompt, .jp-OutputPrompt { display: none !important } }"
    (pages / "style.css").write_text("\n".join([*schemes, narrow]) + "\n")
    return "index.md"


def guide(pages: Path) -> str:
    """The README; a badge that another host would draw is a link of its own words."""
    shutil.copytree(ROOT / ".github/images", pages / ".github/images", dirs_exist_ok=True)
    shutil.copytree(ROOT / ".github/images", pages / "images", dirs_exist_ok=True)
    text = (ROOT / "README.md").read_text().replace(".github/images/", "images/")
    text = re.sub(r"!\[([^\]]+)\]\(https?://[^)\s]+\)", r"\1", text)
    (pages / "guide.md").write_text(linked(text))
    return "guide.md"


def linked(text: str) -> str:
    """A text whose links into the repository lead to pages of the site, or to the repository's own site."""
    own = {
        ".github/playground/index.html": "playground/index.html",
        "CHANGELOG.md": "CHANGELOG.md",
        "CONTRIBUTING.md": "CONTRIBUTING.md",
        "notebooks": "notebooks/index.md",
    }

    def target(found: re.Match) -> str:
        path = found[1]
        if "://" in path or path[0] == "#" or path.startswith("images/"):
            return found[0]
        if re.match(r"notebooks/.*\.ipynb", path):
            return found[0]
        return f"]({own.get(path, SOURCE + path)})"

    return re.sub(r"\]\(([^)\s]+)\)", target, text)


def notebooks(pages: Path) -> list[dict[str, str]]:
    """The notebooks as they were executed."""
    folder = pages / "notebooks"
    folder.mkdir()
    titles = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = path.read_text()
        (folder / path.name).write_text(re.sub(r"\((\d\d_\w+)\.ipynb\)", r"(\1.html)", text))
        title = re.search(r'"# ([^"\\]+)', text)
        titles[path.name] = title[1] if title else path.stem
    lines = [
        f'{i}. [{title}]({name}) · <a href="../lite/lab/index.html?path={name}">run it here</a>'
        for i, (name, title) in enumerate(titles.items(), 1)
    ]
    course = "A course, in this order. To run one, Python itself is loaded into this browser; nothing is installed."
    (folder / "index.md").write_text(f"# Notebooks\n\n{course}\n\n" + "\n".join(lines) + "\n")
    return [{"Overview": "notebooks/index.md"}, *({title: f"notebooks/{name}"} for name, title in titles.items())]


def gallery(pages: Path) -> str:
    """Pages that play a backward pass, each for one thing that is worth seeing."""
    folder = pages / "gallery"
    folder.mkdir()
    shown = []
    for name, title, remark, cost in examples():
        cost.backward()
        play(cost).save(folder / f"{name}.html")
        draw(cost, legend=False).save(folder / f"{name}.svg")
        shown.append((name, title, remark))
    sheets = []
    for level in ("chain", "shared", "paths", "neuron", "layers"):
        sheet = exercises(level, 1, seed=1)[0]
        sheet.save(folder / f"exercise_{level}.html")
        sheet.sheet.save(folder / f"exercise_{level}.svg")
        sheets.append((f"exercise_{level}", level.capitalize(), REMARKS[level]))
    steps = "Each opens a page of its own: step through the backward pass, and move the leaves."
    lines = ["---\nhide: [toc]\n---", "# Gallery", steps, cards(shown)]
    lines += ["## Exercises", "Sheets that mark the answers as they are typed.", cards(sheets)]
    (pages / "gallery.md").write_text("\n\n".join(lines) + "\n")
    return "gallery.md"


def cards(entries: list[tuple[str, str, str]]) -> str:
    """A card for each (file name, title, remark): its picture, which leads to its page."""
    made = [
        f"-   [**{title}**](gallery/{name}.html)\n\n    {remark}\n\n"
        f"    [![{title}](gallery/{name}.svg){{ loading=lazy }}](gallery/{name}.html)"
        for name, title, remark in entries
    ]
    return "\n\n".join(['<div class="grid cards" markdown>', *made, "</div>"])


def examples() -> list[tuple[str, str, str, Value]]:
    """(file name, title, remark, cost) of each page of the gallery."""

    def leaf(x: float, label: str) -> Value:
        return Value(x, label)

    def neuron(w: float, a: float, b: float, sigma: object) -> Value:
        z = leaf(w, "w") * leaf(a, "a") + leaf(b, "b")
        z.label = "z"
        out = sigma(z)  # type: ignore[operator]
        out.label = "a^(1)"
        cost = (out - leaf(1.0, "y")) ** 2
        cost.label = "C"
        return cost

    x = leaf(3.0, "x")
    shared = x * x * x + 2 * x
    shared.label = "C"
    model = nn.MLP(2, [2, 1], "tanh", seed=3)
    example = nn.squared_error(model([leaf(0.5, "x_0"), leaf(-1.0, "x_1")]), leaf(1.0, "y"))
    example.label = "C"
    return [
        ("chain", "The chain", "w to z to a to C, a factor for each link", neuron(0.8, 1.5, -0.5, tanh)),
        ("saturated", "A saturated unit", "the sigmoid's slope leaves little", neuron(4.0, 2.0, 1.0, sigmoid)),
        ("dead", "A dead ReLU", "below 0 nothing passes, whatever the error", neuron(-0.8, 1.5, -0.5, relu)),
        ("shared", "A shared value", "several paths, and their sum", shared),
        ("network", "One example of a small network", "the gradient of every weight of two layers", example),
    ]  # fmt: skip


def reference(pages: Path) -> list[dict[str, str]]:
    """Every public name with its docstring."""
    folder = pages / "reference"
    folder.mkdir()
    waiting = {package.__name__: dict.fromkeys(public(package)) for package in (autograd, nn)}
    chosen = {
        title: [n for n in names.split() if n in waiting[package]] for title, (package, names) in REFERENCE.items()
    }
    for title, (package, _) in REFERENCE.items():
        for name in chosen[title]:
            del waiting[package][name]
    entries = []
    for title, (package, listed) in REFERENCE.items():
        names = chosen[title] if listed else sorted(waiting[package], key=str.lower)
        file = re.sub(r"\W+", "_", title.lower()) + ".md"
        parts = [
            f"# {title}",
            f"`from {package} import ...`",
            *(f"::: {package}.{name}{chosen_of(name)}" for name in names),
        ]
        (folder / file).write_text("\n\n".join(parts) + "\n")
        entries.append({title: f"reference/{file}"})
    return entries


def chosen_of(name: str) -> str:
    """Which members of a class are shown: of Value those that are no operation, which have a page of their own."""
    if name != "Value":
        return ""
    shown = "data grad label op parents partials backward refresh".split()
    return f"\n    options:\n      members: {shown}"


def public(package: object) -> list[str]:
    """The public names of a package that are functions or classes, each with a docstring."""
    names = [name for name in package.__all__ if callable(getattr(package, name)) and name[0] != "_"]  # type: ignore[attr-defined]
    bare = [name for name in names if not inspect.getdoc(getattr(package, name))]
    if bare:
        raise SystemExit(f"without a docstring: {', '.join(bare)}")
    return names


def operations(pages: Path) -> str:
    """The table of the README, on a page of its own."""
    found = re.search(r"<!-- operations: .*?-->\n(.*?)<!-- end -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    (pages / "operations.md").write_text(
        f"---\nhide: [toc]\n---\n\n# All operations and their derivatives\n\n{found[1]}"
    )
    return "operations.md"


def copied(pages: Path, *names: str) -> list[dict[str, str]]:
    """Files of the repository, as they are."""
    for name in names:
        (pages / name).write_text(linked((ROOT / name).read_text()))
    return [{name.partition(".")[0].capitalize(): name} for name in names]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/site"))

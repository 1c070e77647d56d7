"""Views that are put in place when they are first asked for: training needs none of what draws them."""

from __future__ import annotations

import importlib
from typing import Any


class Shown:
    """An attribute of a class that `nn.show` replaces by the view itself."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, owner: type) -> Any:
        importlib.import_module("nn.show")
        return getattr(owner if thing is None else thing, self.name)

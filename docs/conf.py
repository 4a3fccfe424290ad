"""The documentation as a site, made by `make docs` with Sphinx, MyST (Markdown) and Furo."""

import re

from sphinx.application import Sphinx

project = "planner"
html_title = "planner"
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["strikethrough"]
suppress_warnings = ["myst.strikethrough", "misc.highlighting_failure"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["generators", "examples"]
html_theme = "furo"
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser forbids in a folder
html_show_sphinx = False
html_show_copyright = False
html_extra_path = ["examples"]  # pages link to these files

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"\]\(([\w/-]+\.md)\)")


def _as_site(_app: Sphinx, page: str, source: list[str]) -> None:
    """Leave out the comments of a page, the code that made its outputs; give the start page a menu."""
    source[0] = _COMMENT.sub("", source[0])
    if page == "index":
        source[0] += "\n\n" + _menu(source[0])


def _menu(start: str) -> str:
    """Return the menu of the site: the sections of the start page with the pages that they link to."""
    parts = []
    for section in start.split("\n## "):
        heading, _, text = section.partition("\n")
        caption = "Start" if heading.startswith("# ") else heading.split(":")[0]
        if pages := list(dict.fromkeys(_LINK.findall(text))):
            parts += ["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""]
    return "\n".join(parts)


def setup(app: Sphinx) -> None:
    """Connect the hook."""
    app.connect("source-read", _as_site)

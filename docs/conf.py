"""Sphinx's settings. `make docs` builds into build/docs, with no warning and without the network."""

import warnings

import greenpg
from greenpg.detector import _reports, _table

warnings.filterwarnings("ignore", "\nEventlet is deprecated")  # its own advice, at every import

project = "greenpg"
author = "The greenpg contributors"
release = version = greenpg.__version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["examples", "benchmarks"]
default_role = "code"  # docstrings and comments say `name`, as they do in the source
highlight_language = "none"
nitpicky = False  # types of gevent's and the drivers' are named, not linked: nothing is fetched

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "greenpg"
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1a7f4b", "color-brand-content": "#1a7f4b"},
    "dark_css_variables": {"color-brand-primary": "#4cc38a", "color-brand-content": "#4cc38a"},
}

# where autodoc looks for what the source says below an attribute
_reports.Hold.__module__ = _reports.Counters.__module__ = _reports.__name__
_table.Statement.__module__ = _table.__name__


def setup(app):
    """Keep the modules' docstrings out of the reference: they are rules for those who work on them."""
    app.connect("autodoc-process-docstring", forget_modules)


def forget_modules(app, what, name, obj, options, lines):
    if what == "module":
        lines.clear()

"""Sphinx's settings of the book."""

from docutils import nodes

project = "seqkd_lab"
author = "seqkd_lab contributors"
copyright = author  # noqa: A001  # Sphinx's name
html_title = "seqkd_lab"
language = "en"

extensions = ["myst_nb", "book.pages.extension", "book.formulas"]
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "picture"  # of book.formulas
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]
nb_execution_mode = "off"  # the lessons have run already
nb_ipywidgets_js: dict = {}  # the site loads nothing from elsewhere, and has no widgets
nb_render_markdown_format = "myst"
nb_output_stderr = "remove"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries = False

html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["book.css", "forms.css"]
html_js_files = [
    (f"{name}.js", {"defer": "defer"}) for name in ("player", "judging", "predictions")
]
html_favicon = "static/icon.svg"  # the teacher's bar and its student's
templates_path = ["templates"]
html_sidebars = {"**": ["sidebar-nav-bs.html", "on-this-page.html"]}
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "show_nav_level": 1,
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "secondary_sidebar_items": [],  # its width is for the pictures
    "footer_start": [],
    "footer_end": [],
    "article_header_start": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def drop_empty_heads(app, doctree):
    """Take away heads of tables without a word, which Markdown asks for: a screen reader would
    announce them."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def setup(app):
    """Tell Sphinx what is done to every page."""
    app.connect("doctree-read", drop_empty_heads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

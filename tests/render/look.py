"""Makes web pages of the golden pages, about as GitHub shows them: ``python -m tests.render.look FOLDER``.

The folder may hold ``github-markdown.css`` (npm: github-markdown-css) and ``mermaid.min.js`` (npm: mermaid): then the
pages look like GitHub's, and the diagrams are drawn. Open them at 1280 and at 400 pixels of width.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]

from tests.render.pages import GOLDEN

_ALERT = re.compile(r"<blockquote>\n<p>\[!([A-Z]+)\]\n?")
_DIAGRAM = re.compile(r'<pre lang="mermaid"><code>(.*?)</code></pre>', re.DOTALL)
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="stylesheet" href="github-markdown.css"><script src="mermaid.min.js"></script>
<style>body {{ margin: 0 auto; max-width: 1012px; padding: 16px }}</style></head>
<body class="markdown-body">{body}
<script>mermaid.initialize({{ startOnLoad: false }}); mermaid.run({{ querySelector: ".mermaid" }})</script>
</body></html>
"""


def as_html(markdown: str, *, bare: bool = False) -> str:
    """As GitHub makes it, before it takes away what is not allowed.

    Args:
        markdown: the page.
        bare: leave out the boxes and diagrams, which are no part of Markdown: a script and a style make those.
    """
    made: str = cmarkgfm.github_flavored_markdown_to_html(markdown, options=cmarkgfm.Options.CMARK_OPT_UNSAFE)
    if bare:
        return made
    made = _DIAGRAM.sub(r'<div class="mermaid">\1</div>', made)
    return _ALERT.sub(
        lambda found: (
            f'<blockquote class="markdown-alert markdown-alert-{found[1].lower()}">\n'
            f'<p class="markdown-alert-title">{found[1].capitalize()}</p>\n<p>'
        ),
        made,
    )


def main(folder: Path) -> None:
    for page in sorted(GOLDEN.glob("*.md")):
        body = as_html(page.read_text(encoding="utf-8"))
        (folder / f"{page.stem}.html").write_text(_PAGE.format(title=page.stem, body=body), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

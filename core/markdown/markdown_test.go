package markdown_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/edgeref/edgeref/core/markdown"
)

func TestHTML(t *testing.T) {
	r := markdown.New("/site/media/")
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"paragraph", "one *two* **three**", "<p>one <em>two</em> <strong>three</strong></p>"},
		{"headings go down", "# A\n\n###### B", "<h2>A</h2>\n<h6>B</h6>"},
		{"list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"},
		{"own link", "[a](/p/sales)", `<p><a href="/p/sales">a</a></p>`},
		{"other's link", "[a](https://example.com/x)", `<p><a href="https://example.com/x" rel="nofollow noreferrer">a</a></p>`},
		{"mail", "[a](mailto:a@example.com)", `<p><a href="mailto:a@example.com">a</a></p>`},
		{"script address", "[a](javascript:alert(1))", "<p>a</p>"},
		{"hidden script address", "[a](jAva&#x0A;script:alert(1))", "<p>a</p>"},
		{"data address", "[a](data:text/html;base64,PHNjcmlwdD4=)", "<p>a</p>"},
		{"html", "<script>alert(1)</script>\n\nx <img src=x onerror=alert(1)> y", "\n<p>x  y</p>"},
		{"own picture", "![a](/site/media/med_01J8Z0QK5T2VG)", `<p><img src="/site/media/med_01J8Z0QK5T2VG" alt="a"></p>`},
		{"other's picture", "![a](https://example.com/x.png)", `<p><img alt="a"></p>`},
		{"picture by detour", "![a](/site/media/../../api/v1/me)", `<p><img alt="a"></p>`},
		{"table", "|a|\n|-|\n|b|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>"},
		{"other alphabets", "नमस्ते", "<p>नमस्ते</p>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.HTML(tt.in)
			if err != nil || strings.TrimRight(string(got), "\n") != strings.TrimRight(tt.want, "\n") {
				t.Errorf("got %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
}

// Whatever is written, no element or attribute gets out that could run, load or pretend.
func FuzzHTML(f *testing.F) {
	for _, seed := range []string{"# a", "<script>", "[a](javascript:b)", "![a](//b)", "<a href='x' onclick=y>", "&#60;script&#62;", "[x]: javascript:y\n[x]", "a|b\n-|-\n<b>|`<i>`"} {
		f.Add(seed)
	}
	r := markdown.New("/site/media/")
	f.Fuzz(func(t *testing.T, source string) {
		out, err := r.HTML(source)
		if err != nil {
			t.Skip()
		}
		z := html.NewTokenizer(strings.NewReader(string(out)))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
				continue
			}
			switch token.Data {
			case "script", "style", "iframe", "object", "embed", "form", "input", "svg", "math", "base", "meta", "link", "h1":
				t.Fatalf("element %s of %q", token.Data, source)
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.TrimSpace(a.Val))
				bad := strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcset" || a.Key == "src" && !strings.HasPrefix(value, "/site/media/")
				if bad || a.Key == "href" && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "vbscript:")) {
					t.Fatalf("attribute %s=%q of %q", a.Key, a.Val, source)
				}
			}
		}
	})
}

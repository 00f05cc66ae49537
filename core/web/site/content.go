package site

import (
	"context"
	"html/template"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Content is what the owner of the site has written.
type Content struct {
	Name         string
	Headline     string
	Text         template.HTML // of the landing page; headings begin at h2
	Hero         string        // path of a picture of ours; empty: drawn
	Featured     []int64       // products, in order
	Legal        map[string]template.HTML
	SupportEmail string
	Accent       string // #rrggbb, on which white is readable; empty: the default
	Locale       string // BCP 47
	Revision     int64  // another one with each saving
	UpdatedAt    int64  // Unix ms; 0: never
}

// writer is where the content comes from. It is called for each page, so it answers from memory.
type writer interface {
	Content(ctx context.Context) (Content, error)
}

// part is a section of the landing page: an h2 with what follows. Its h3 are questions.
type part struct {
	ID        string
	Title     string
	Text      template.HTML
	Questions []answered
}

type answered struct {
	Question string
	Answer   template.HTML
}

// parts divides a text that has been sanitised into what stands before its first h2, and its sections.
func parts(text template.HTML) (lead template.HTML, sections []part) {
	nodes, ok := fragment(text)
	if !ok {
		return text, nil
	}
	var b strings.Builder
	into := func(s string) {
		switch last := len(sections) - 1; {
		case last < 0:
			lead += template.HTML(s) //nolint:gosec // of a text that was sanitised
		case len(sections[last].Questions) > 0:
			q := sections[last].Questions
			q[len(q)-1].Answer += template.HTML(s) //nolint:gosec // the same
		default:
			sections[last].Text += template.HTML(s) //nolint:gosec // the same
		}
	}
	for _, n := range nodes {
		switch {
		case n.DataAtom == atom.H2:
			title := plain(n)
			sections = append(sections, part{ID: "part-" + strconv.Itoa(len(sections)+1), Title: title})
		case n.DataAtom == atom.H3 && len(sections) > 0:
			last := &sections[len(sections)-1]
			last.Questions = append(last.Questions, answered{Question: plain(n)})
		default:
			b.Reset()
			if html.Render(&b, n) == nil {
				into(b.String())
			}
		}
	}
	return lead, sections
}

// opening is what stands before the first heading of a text.
func opening(text template.HTML) template.HTML {
	nodes, _ := fragment(text)
	var b strings.Builder
	for _, n := range nodes {
		if level(n) > 0 || html.Render(&b, n) != nil {
			break
		}
	}
	return template.HTML(b.String()) //nolint:gosec // of a text that was sanitised
}

// settled lets the headings of a text begin at h2, whatever the writer began with: below the h1 of a page.
func settled(text template.HTML) template.HTML {
	nodes, ok := fragment(text)
	least := 7
	for _, n := range nodes {
		if l := level(n); l > 0 {
			least = min(least, l)
		}
	}
	if !ok || least == 2 || least == 7 {
		return text
	}
	var b strings.Builder
	for _, n := range nodes {
		if l := level(n); l > 0 {
			n.Data = "h" + strconv.Itoa(l-least+2)
			n.DataAtom = atom.Lookup([]byte(n.Data))
		}
		if html.Render(&b, n) != nil {
			return text
		}
	}
	return template.HTML(b.String()) //nolint:gosec // the same
}

// level of a heading, or 0.
func level(n *html.Node) int {
	if n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
		return int(n.Data[1] - '0')
	}
	return 0
}

// fragment reads a sanitised text.
func fragment(text template.HTML) ([]*html.Node, bool) {
	nodes, err := html.ParseFragment(strings.NewReader(string(text)), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	return nodes, err == nil // strings do not fail to be read
}

// plain is the text of an element.
func plain(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// words are the first of a sanitised text, without its markup, for descriptions.
func words(text template.HTML, limit int) string {
	nodes, _ := fragment(text)
	var all []string
	for _, n := range nodes {
		if n.Type == html.TextNode {
			all = append(all, strings.Fields(n.Data)...)
		}
		all = append(all, strings.Fields(plain(n))...)
	}
	out := ""
	for _, w := range all {
		if len(out)+1+len(w) > limit {
			return strings.TrimRight(out, " ,;:.–") + "…"
		}
		if out != "" {
			out += " "
		}
		out += w
	}
	return out
}

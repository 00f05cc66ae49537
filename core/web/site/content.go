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
	nodes, err := html.ParseFragment(strings.NewReader(string(text)), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return text, nil // strings do not fail to be read
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
	nodes, err := html.ParseFragment(strings.NewReader(string(text)), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return ""
	}
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

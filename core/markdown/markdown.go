// Package markdown makes HTML of what people write in Markdown, for pages that are shown to everybody.
package markdown

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Renderer makes HTML of CommonMark with tables and strike-through. HTML in the text is left out, headings begin at h2
// because a page has its own h1, links go to https, http, mailto and paths of this site, and pictures come from this site's
// own media only. It is safe for concurrent use.
type Renderer struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
}

// New returns a Renderer; mediaPath is the path that pictures must lie under, as in "/site/media/".
func New(mediaPath string) *Renderer {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li",
		"table", "thead", "tbody", "tr", "th", "td")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowURLSchemes("https", "http", "mailto")
	policy.AllowRelativeURLs(true)
	policy.RequireParseableURLs(true)
	policy.RequireNoFollowOnFullyQualifiedLinks(true)
	policy.RequireNoReferrerOnFullyQualifiedLinks(true)
	policy.AllowAttrs("src").Matching(regexp.MustCompile("^" + regexp.QuoteMeta(mediaPath) + "[a-z0-9A-Z_]+$")).OnElements("img")
	policy.AllowAttrs("alt", "title").OnElements("img")
	return &Renderer{
		markdown: goldmark.New(
			goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
			goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(lowerHeadings{}, 100))),
		),
		policy: policy,
	}
}

// HTML renders a text. What it returns holds nothing that runs.
func (r *Renderer) HTML(source string) (template.HTML, error) {
	var b bytes.Buffer
	if err := r.markdown.Convert([]byte(source), &b); err != nil {
		return "", fmt.Errorf("render markdown: %w", err)
	}
	// The policy let through only what is in it; this is the one place that says so.
	return template.HTML(r.policy.SanitizeBytes(b.Bytes())), nil //nolint:gosec // sanitised in the same line
}

// lowerHeadings makes h2 of h1, and so on.
type lowerHeadings struct{}

// Transform implements parser.ASTTransformer.
func (lowerHeadings) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	// The walk only fails where its function does.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			h.Level = min(h.Level+1, 6)
		}
		return ast.WalkContinue, nil
	})
}

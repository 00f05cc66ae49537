package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	texttemplate "text/template"
	"unicode"
)

// A template is one file, so that its words stand in one place for both forms of the mail:
//
//	subject: Choose a new password
//	secret: yes
//
//	Hello {{.Name}},
//
//	[Choose a new password]({{.URL}})
//
// Above the first empty line are the subject and, where the mail opens an account, secret: such a mail is encrypted while
// it waits, erased when it has been sent, and only shown to owners. Below are paragraphs; one that is a label and a link is a
// button in HTML. Values are escaped for where they stand. {{.Site}} is always there; another value that is not given is an
// error, so that no mail goes out with a hole.

//go:embed templates
var templates embed.FS

const extension = ".txt"

// Rendered is a mail ready to be sent.
type Rendered struct {
	ID         int64
	To         string
	Subject    string
	Text, HTML string
}

// letter is one template, compiled.
type letter struct {
	name    string
	secret  bool
	values  []string // names it uses, sorted, without Site
	subject *texttemplate.Template
	text    *texttemplate.Template
	html    *htmltemplate.Template
}

func loadTemplates() (map[string]*letter, error) {
	files, err := fs.Glob(templates, "templates/*"+extension)
	if err != nil {
		return nil, fmt.Errorf("read mail templates: %w", err)
	}
	out := make(map[string]*letter, len(files))
	for _, path := range files {
		source, err := fs.ReadFile(templates, path)
		if err != nil {
			return nil, fmt.Errorf("read mail templates: %w", err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "templates/"), extension)
		if out[name], err = parseLetter(name, string(source)); err != nil {
			return nil, fmt.Errorf("read mail template %s: %w", name, err)
		}
	}
	return out, nil
}

func parseLetter(name, source string) (*letter, error) {
	head, body, ok := strings.Cut(source, "\n\n")
	if !ok {
		return nil, fmt.Errorf("an empty line must follow the subject")
	}
	l := &letter{name: name}
	subject := ""
	for line := range strings.SplitSeq(head, "\n") {
		field, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); field {
		case "subject":
			subject = value
		case "secret":
			l.secret = value == "yes"
		default:
			return nil, fmt.Errorf("unknown line %q above the text", line)
		}
	}
	if subject == "" {
		return nil, fmt.Errorf("it has no subject")
	}
	var err error
	if l.subject, err = texttemplate.New(name).Option("missingkey=error").Parse(subject); err != nil {
		return nil, err
	}
	text, html := forms(body)
	if l.text, err = texttemplate.New(name).Option("missingkey=error").Parse(text); err != nil {
		return nil, err
	}
	if l.html, err = htmltemplate.New(name).Option("missingkey=error").Parse(html); err != nil {
		return nil, err
	}
	for _, m := range regexp.MustCompile(`{{[^}]*?\.([A-Z][A-Za-z]*)[^}]*}}`).FindAllStringSubmatch(source, -1) {
		if m[1] != "Site" {
			l.values = append(l.values, m[1])
		}
	}
	slices.Sort(l.values)
	l.values = slices.Compact(l.values)
	return l, nil
}

// forms turns the paragraphs of a template into the templates of its two forms.
func forms(body string) (text, html string) {
	button := regexp.MustCompile(`^\[([^\]]+)\]\((.+)\)$`)
	var t, h strings.Builder
	h.WriteString(`<!doctype html><html><head><meta charset="utf-8"></head><body style="font-family:sans-serif;line-height:1.5;max-width:36em;margin:auto;padding:1em;color:#222">`)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		paragraph = strings.TrimSpace(paragraph)
		if m := button.FindStringSubmatch(paragraph); m != nil {
			fmt.Fprintf(&t, "%s:\n%s\n\n", m[1], m[2])
			fmt.Fprintf(&h, `<p><a href="%s" style="display:inline-block;padding:.6em 1em;background:#1a56db;color:#fff;text-decoration:none;border-radius:.3em">%s</a></p>`,
				m[2], escapeStatic(m[1]))
			continue
		}
		t.WriteString(paragraph + "\n\n")
		h.WriteString("<p>" + strings.ReplaceAll(escapeStatic(paragraph), "\n", "<br>") + "</p>")
	}
	t.WriteString("-- \n{{.Site}}\n")
	h.WriteString(`<hr style="border:0;border-top:1px solid #ddd"><p style="color:#777;font-size:small">{{.Site}}</p></body></html>`)
	return t.String(), h.String()
}

// escapeStatic escapes a template's own words and leaves its actions, which html/template escapes.
func escapeStatic(s string) string {
	var b strings.Builder
	for s != "" {
		start := strings.Index(s, "{{")
		if start < 0 {
			break
		}
		end := strings.Index(s[start:], "}}")
		if end < 0 {
			break
		}
		b.WriteString(htmltemplate.HTMLEscapeString(s[:start]) + s[start:start+end+2])
		s = s[start+end+2:]
	}
	return b.String() + htmltemplate.HTMLEscapeString(s)
}

// render fills a template.
func (l *letter) render(site string, data map[string]string) (Rendered, error) {
	values := map[string]string{"Site": oneLine(site, maxValue)}
	for name, value := range data {
		limit := maxValue
		if strings.HasSuffix(name, "URL") {
			limit = maxURLValue
		}
		values[name] = oneLine(value, limit)
	}
	var subject, text, html bytes.Buffer
	if err := l.subject.Execute(&subject, values); err != nil {
		return Rendered{}, fmt.Errorf("fill mail template: %w", err)
	}
	if err := l.text.Execute(&text, values); err != nil {
		return Rendered{}, fmt.Errorf("fill mail template: %w", err)
	}
	if err := l.html.Execute(&html, values); err != nil {
		return Rendered{}, fmt.Errorf("fill mail template: %w", err)
	}
	return Rendered{Subject: oneLine(subject.String(), maxSubject), Text: text.String(), HTML: html.String()}, nil
}

// oneLine makes a value of outside harmless in a header and in plain text: no line of its own, no control characters, and
// no more than limit characters.
func oneLine(s string, limit int) string {
	count := 0
	return strings.Map(func(r rune) rune {
		if count++; count > limit || r == unicode.ReplacementChar {
			return -1
		}
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

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

	"golang.org/x/text/language"
)

// Templates of a language are in a folder that its tag (BCP 47) names. English is whole; what another language has not yet is
// sent in English. A template is one file, so that its words stand in one place for both forms of the mail:
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
// error, so that no mail goes out with a hole. Words that depend on a value are chosen in the template, by {{if}} or {{with}}.

//go:embed templates
var templates embed.FS

const (
	folder    = "templates/"
	extension = ".txt"
	original  = "en" // the language that every template is in
)

// tongue is the templates of a language.
type tongue struct {
	tag     language.Tag
	letters map[string]*letter
}

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
	lang    string
	secret  bool
	values  []string // names that it uses, sorted, without Site
	subject *texttemplate.Template
	text    *texttemplate.Template
	html    *htmltemplate.Template
}

// loadTemplates reads all languages, English first.
func loadTemplates(files fs.FS) ([]tongue, error) {
	names, err := fs.Glob(files, folder+"*")
	if err != nil {
		return nil, fmt.Errorf("read mail templates: %w", err)
	}
	english := folder + original
	names = append([]string{english}, slices.DeleteFunc(names, func(name string) bool { return name == english })...)
	var out []tongue
	for _, name := range names {
		t, err := loadTongue(files, strings.TrimPrefix(name, folder))
		if err != nil {
			return nil, fmt.Errorf("read mail templates: %w", err)
		}
		if out = append(out, t); len(t.letters) == 0 {
			return nil, fmt.Errorf("read mail templates: there are none in %s", name)
		}
		if err := t.agree(out[0]); err != nil {
			return nil, fmt.Errorf("read mail templates: %w", err)
		}
	}
	return out, nil
}

func loadTongue(files fs.FS, name string) (tongue, error) {
	tag, err := language.Parse(name)
	if err != nil {
		return tongue{}, fmt.Errorf("the folder %s is not named like a language: %w", name, err)
	}
	paths, err := fs.Glob(files, folder+name+"/*"+extension)
	if err != nil {
		return tongue{}, err
	}
	t := tongue{tag: tag, letters: make(map[string]*letter, len(paths))}
	for _, path := range paths {
		source, err := fs.ReadFile(files, path)
		if err != nil {
			return tongue{}, err
		}
		template := strings.TrimSuffix(strings.TrimPrefix(path, folder+name+"/"), extension)
		l, err := parseLetter(template, string(source))
		if err != nil {
			return tongue{}, fmt.Errorf("%s: %w", path, err)
		}
		l.lang = name
		t.letters[template] = l
	}
	return t, nil
}

// agree reports what a language has otherwise than English: who queues a mail does not know in which it is sent.
func (t tongue) agree(english tongue) error {
	for name, l := range t.letters {
		first, ok := english.letters[name]
		switch {
		case !ok:
			return fmt.Errorf("%s is in %s and not in English", name, t.tag)
		case first.secret != l.secret:
			return fmt.Errorf("%s is secret in one of English and %s", name, t.tag)
		}
		for _, value := range l.values {
			if !slices.Contains(first.values, value) {
				return fmt.Errorf("%s uses %s in %s and not in English", name, value, t.tag)
			}
		}
	}
	return nil
}

func parseLetter(name, source string) (*letter, error) {
	head, body, ok := strings.Cut(source, "\n\n")
	if !ok {
		return nil, fmt.Errorf("an empty line must follow the subject")
	}
	l := &letter{name: name, lang: original}
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
	h.WriteString(`<!doctype html><html lang="{{.Lang}}"><head><meta charset="utf-8"></head><body style="font-family:sans-serif;line-height:1.5;max-width:36em;margin:auto;padding:1em;color:#222">`)
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
	values := map[string]string{"Site": oneLine(site, maxValue), "Lang": l.lang}
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

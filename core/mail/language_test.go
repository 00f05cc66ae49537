package mail

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/locale/pseudo"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/money"
)

// choices are values that are not said but choose the words of a template.
func choices() map[string]map[string][]string {
	return map[string]map[string][]string{"second_factor": {"What": {"set_up", "removed", "new_codes", "recovered"}}}
}

// chosen reports whether a value chooses words.
func chosen(template, value string) bool { return choices()[template][value] != nil }

// Each choice says something of its own.
func TestChoices(t *testing.T) {
	tongues, err := loadTemplates(templates)
	if err != nil {
		t.Fatal(err)
	}
	for _, spoken := range tongues {
		for template, values := range choices() {
			for name, all := range values {
				said := map[string]bool{}
				for _, value := range all {
					r, err := spoken.letters[template].render("Shop", map[string]string{"Name": "Ann", name: value})
					if err != nil || said[r.Text] {
						t.Errorf("%s %s=%s: %v, %s", template, name, value, err, r.Text)
					}
					said[r.Text] = true
				}
			}
		}
	}
}

// Without an account, a reference or a day the mail says so in words.
func TestWordsForNone(t *testing.T) {
	tongues, err := loadTemplates(templates)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tongues[0].letters["payout_method_changed"].render("Shop", map[string]string{"Name": "Ann", "Currency": "INR", "Before": "", "After": "", "Until": ""})
	if err != nil || !strings.Contains(r.Text, "Before: none\nNow: none\n") || !strings.Contains(r.Text, "before somebody enters one and it has waited.") {
		t.Errorf("%v, %s", err, r.Text)
	}
}

// inTwo are the templates in English and in a language that nobody speaks; what change makes nil is missing there.
func inTwo(t *testing.T, folder string, change func(name, source string) string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(templates, "templates/en", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := fs.ReadFile(templates, path)
		if err != nil {
			return err
		}
		out[path] = &fstest.MapFile{Data: source}
		if changed := change(d.Name(), string(source)); changed != "" {
			out["templates/"+folder+"/"+d.Name()] = &fstest.MapFile{Data: []byte(changed)}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// widened makes the words of a template pseudo, and leaves its head and its actions.
func widened(_, source string) string {
	return pseudo.Widen(source, `(?m)^(subject:|secret: yes)|\{\{[^}]*\}\}`)
}

// In a language that nobody speaks, every word of every mail comes from its template: none stands in code.
func TestEveryWordIsATemplates(t *testing.T) {
	tongues, err := loadTemplates(inTwo(t, "hi", widened))
	if err != nil || len(tongues) != 2 {
		t.Fatalf("%d, %v", len(tongues), err)
	}
	for name, l := range tongues[1].letters {
		for _, value := range append(choices()[name]["What"], "") {
			data := map[string]string{}
			for _, v := range l.values {
				switch {
				case strings.HasSuffix(v, "URL"):
					data[v] = "https://1.2/3"
				case chosen(name, v):
					data[v] = value
				default:
					data[v] = "4"
				}
			}
			r, err := l.render("5", data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			visible, err := pseudo.Visible(r.HTML)
			if err != nil || !strings.Contains(r.HTML, `<html lang="hi">`) {
				t.Errorf("%s: %v, %s", name, err, r.HTML)
			}
			for _, words := range pseudo.Foreign(append(visible, r.Subject, r.Text), "https://1.2/3") {
				t.Errorf("%s: %q is in no template", name, words)
			}
		}
	}
}

// A receiver is written to in his language, with his digits, and in English what is not translated yet.
func TestLanguageOfTheReceiver(t *testing.T) {
	files := inTwo(t, "hi", func(name, source string) string {
		if name == "order_paid.txt" {
			return "subject: ऑर्डर {{.Number}}\n\n{{.Amount}} {{.Name}}"
		}
		return ""
	})
	files["templates/en/moment.txt"] = &fstest.MapFile{Data: []byte("subject: x\n\nBefore {{.Until}}")}
	d := dbtest.SQLite(t)
	now := func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }
	ring, err := secret.NewRing([]string{secret.NewKey("1")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{
		DB: d, IDs: newid.New(now), Now: now, Ring: ring, templates: files, Zone: time.FixedZone("IST", 330*60),
		Locale: func(_ context.Context, _ db.Querier, to string) (string, error) {
			tag, _, _ := strings.Cut(to, "@")
			return strings.TrimPrefix(tag, "none"), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	paid := Message{Template: "order_paid", Data: map[string]string{"Number": "7", "Products": "", "Name": "Bea", "OrderURL": "https://x.example/"}, Amounts: map[string]money.Amount{"Amount": {Minor: 14_990_000, Currency: "INR"}}}
	until := Message{Template: "moment", Times: map[string]int64{"Until": now().UnixMilli()}}
	for _, tt := range []struct {
		locale string
		m      Message
		want   string
	}{
		{"hi-IN", paid, "INR 1,49,900.00 Bea\n"}, {"hi", paid, "INR 1,49,900.00 Bea\n"}, {"en-IN", paid, "thank you for your order 7 of INR 1,49,900.00."},
		{"none", paid, "of INR 1,49,900.00."}, {"en-US", paid, "of INR 149,900.00."}, {"ja-JP", paid, "thank you for your order 7 of INR 149,900.00."},
		{"hi-IN", Message{Template: "test"}, "to see whether mail arrives"}, {"en-IN", until, "Before 1 May 2026, 5:30 pm IST"},
	} {
		m := tt.m
		m.To = tt.locale + "@example.com"
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return s.Queue(t.Context(), tx, m) }); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(t.Context(), Filter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), list[0].ID)
		if err != nil || !strings.Contains(got.Text, tt.want) {
			t.Errorf("%s: %v, %q lacks %q", tt.locale, err, got.Text, tt.want)
		}
	}
}

// A language that does not fit the mails that are queued is found before any is sent.
func TestLanguagesAgree(t *testing.T) {
	for name, change := range map[string]func(name, source string) string{
		"another value":  func(_, source string) string { return source + "{{.Another}}" },
		"not secret":     func(_, source string) string { return strings.Replace(source, "secret: yes\n", "", 1) },
		"cannot be read": func(_, source string) string { return source + "{{" },
	} {
		if _, err := loadTemplates(inTwo(t, "hi", change)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := loadTemplates(inTwo(t, "not a language", widened)); err == nil {
		t.Error("a folder that is no language is taken")
	}
	more := inTwo(t, "hi", widened)
	more["templates/hi/more.txt"] = &fstest.MapFile{Data: []byte("subject: x\n\ny")}
	if _, err := loadTemplates(more); err == nil {
		t.Error("a mail that is not in English is taken")
	}
}

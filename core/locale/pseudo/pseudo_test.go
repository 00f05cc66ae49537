package pseudo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/core/locale/pseudo"
)

type step struct{ Title string }

type catalogue struct {
	Plain, Filled string
	Steps         []step
	Names         map[string]string
	Hours         locale.Plural
	Other         string
}

func english() *catalogue {
	return &catalogue{
		Plain: "Sign in", Filled: "You pay %s to %s", Steps: []step{{"One"}, {"Two"}}, Names: map[string]string{"upi": "UPI"},
		Hours: locale.Plural{One: "an hour", Other: "%d hours"}, Other: "More",
	}
}

func TestOf(t *testing.T) {
	c := english()
	names := c.Names
	texts := pseudo.Of(c)
	if len(texts) != 8 || names["upi"] != "UPI" || texts["Hours.Other"] == "" || texts["Steps[1].Title"] == "" {
		t.Errorf("%v", texts)
	}
	page := fmt.Sprintf("<!doctype html><title>%s</title><style>a{}</style><p title=%q>"+c.Filled+"<script>x</script><img alt='word'><input type=text value=typed>", c.Plain, c.Other, "₹5", "Stripe")
	visible, err := pseudo.Visible(page)
	if err != nil {
		t.Fatal(err)
	}
	if got := pseudo.Foreign(visible, "Stripe"); !slices.Equal(got, []string{"word"}) {
		t.Errorf("foreign %q", got)
	}
	if got := texts.Unused([]string{page}); strings.Join(got, " ") != "Hours.One Hours.Other Names[upi] Steps[0].Title Steps[1].Title" {
		t.Errorf("unused %q", got)
	}
}

func TestHolesAndDifferences(t *testing.T) {
	if got := append(pseudo.Holes(english()), pseudo.Compare(english(), english())...); len(got) != 0 {
		t.Errorf("%q", got)
	}
	c := english()
	c.Plain, c.Steps, c.Hours.Other = "", nil, ""
	if got := pseudo.Holes(c); strings.Join(got, " ") != "Hours.Other Plain Steps" {
		t.Errorf("%q", got)
	}
	c = english()
	c.Filled, c.Names = "%[2]s: %[1]s", map[string]string{"card": "Card"}
	if got := pseudo.Compare(c, english()); len(got) != 1 || got[0] != "Names[upi] is not set" {
		t.Errorf("%q", got)
	}
	c.Filled = "%s"
	if got := pseudo.Compare(c, english()); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

func TestVerbs(t *testing.T) {
	for text, want := range map[string]string{"": "", "100%% of %s": "1s", "%s %d": "1s 2d", "%[2]d %[1]s": "1s 2d", "%[2]d %s": "2d 3s"} {
		if got := strings.Join(pseudo.Verbs(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

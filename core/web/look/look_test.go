package look_test

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/web/look"
)

func TestNewSheet(t *testing.T) {
	plain := look.NewSheet("site", "", ".a {}")
	if again := look.NewSheet("site", look.DefaultAccent, ".a {}"); again.Name != plain.Name {
		t.Errorf("the default accent makes %s of %s", again.Name, plain.Name)
	}
	green := look.NewSheet("site", "#0b6b45", ".a {}")
	if green.Name == plain.Name || !strings.Contains(string(green.Body), "--accent: #0b6b45;") {
		t.Errorf("an accent does not change %s", green.Name)
	}
	for _, bad := range []string{"#0b6b4", "red", "#0b6b45;}", "#zzzzzz", "}#12345"} {
		if got := look.NewSheet("site", bad, ".a {}"); got.Name != plain.Name {
			t.Errorf("%q got into the stylesheet", bad)
		}
	}
	if !strings.HasSuffix(string(plain.Body), ".a {}") || !strings.Contains(plain.Name, "site-") {
		t.Errorf("%s does not end with the page's own rules", plain.Name)
	}
}

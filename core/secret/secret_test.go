package secret_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/secret"
)

func ring(t testing.TB, keys ...string) *secret.Ring {
	t.Helper()
	r, err := secret.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpenReversesSeal(t *testing.T) {
	r := ring(t, secret.NewKey("1"))
	rapid.Check(t, func(t *rapid.T) {
		plain, context := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.SliceOf(rapid.Byte()).Draw(t, "context")
		sealed, err := r.Seal(plain, context)
		if err != nil {
			t.Fatal(err)
		}
		if limit := len(plain)*4/3 + 54; len(sealed) > limit {
			t.Fatalf("%d bytes for %d, documented at most %d", len(sealed), len(plain), limit)
		}
		got, err := r.Open(sealed, context)
		if err != nil || string(got) != string(plain) {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := r.Open(sealed, append(context, 0)); !errors.Is(err, secret.ErrDamaged) {
			t.Fatalf("in another place: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		changed := []byte(sealed)
		changed[at] ^= 1
		if got, err := r.Open(string(changed), context); err == nil {
			t.Fatalf("byte %d changed and still opened as %q", at, got)
		}
	})
}

func TestSealedTextsDiffer(t *testing.T) {
	r := ring(t, secret.NewKey("1"))
	a, _ := r.Seal([]byte("x"), nil)
	b, _ := r.Seal([]byte("x"), nil)
	if a == b {
		t.Error("equal texts can be told from outside")
	}
}

func TestRotation(t *testing.T) {
	old, young := secret.NewKey("old"), secret.NewKey("young")
	sealed, err := ring(t, old).Seal([]byte("x"), []byte("c"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring(t, young).Open(sealed, []byte("c")); !errors.Is(err, secret.ErrUnknownKey) {
		t.Errorf("without the old key: %v", err)
	}
	both := ring(t, young, old)
	again, changed, err := both.Reseal(sealed, []byte("c"))
	if err != nil || !changed || !strings.HasPrefix(again, "young:") {
		t.Fatalf("reseal: %q, %v, %v", again, changed, err)
	}
	if got, err := ring(t, young).Open(again, []byte("c")); err != nil || string(got) != "x" {
		t.Errorf("after rotation: %q, %v", got, err)
	}
	if same, changed, err := both.Reseal(again, []byte("c")); err != nil || changed || same != again {
		t.Errorf("reseal of what is new: %v, %v", changed, err)
	}
}

func TestKeysAreChecked(t *testing.T) {
	good := secret.NewKey("1")
	for name, keys := range map[string][]string{
		"none": nil, "no id": {":" + good[2:]}, "no colon": {good[2:]}, "short": {"1:AAAA"}, "not base64": {"1:!!!"},
		"twice": {good, good}, "odd id": {"a b:" + good[2:]}, "long id": {strings.Repeat("a", 17) + ":" + good[2:]},
	} {
		_, err := secret.NewRing(keys)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), good[2:]) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

func TestProve(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		first, second := secret.NewKey("1"), secret.NewKey("2")
		for _, step := range []struct {
			name string
			keys []string
			good bool
		}{
			{"first use", []string{first}, true},
			{"again", []string{first}, true},
			{"other key", []string{second}, false},
			{"other key of the same id", []string{secret.NewKey("1")}, false},
			{"rotated", []string{second, first}, true},
			{"old one gone", []string{second}, true},
			{"back", []string{first}, false},
		} {
			if err := ring(t, step.keys...).Prove(t.Context(), d); (err == nil) != step.good {
				t.Errorf("%s: %v", step.name, err)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	r := ring(f, "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	sealed, _ := r.Seal([]byte("x"), []byte("c"))
	f.Add(sealed)
	f.Add("1:")
	f.Add("2:AAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if plain, err := r.Open(text, []byte("d")); err == nil {
			t.Errorf("opened %q as %q", text, plain)
		}
	})
}

package webhook

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/secret"
)

func TestSecretsAreSealed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		a, secretA := f.webhook("http://127.0.0.1:1/a")
		b, _ := f.webhook("http://127.0.0.1:1/b")
		_, rotated, err := f.Rotate(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		stored := func(id int64) (current, previous string) {
			t.Helper()
			if err := d.QueryRow(t.Context(), "SELECT secret, previous_secret FROM webhook_endpoints WHERE id = ?", id).Scan(&current, &previous); err != nil {
				t.Fatal(err)
			}
			return current, previous
		}
		current, previous := stored(a.ID)
		if !strings.HasPrefix(current, "1:") || !strings.HasPrefix(previous, "1:") || strings.Contains(current+previous, secretPrefix) {
			t.Errorf("stored %q and %q", current, previous)
		}
		open := func(id int64) []string {
			t.Helper()
			e, err := f.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			out, err := f.openSecrets(&e, f.clock.now().UnixMilli())
			if err != nil {
				return nil
			}
			return out
		}
		if got := open(a.ID); len(got) != 2 || got[0] != rotated || got[1] != secretA {
			t.Errorf("opened %v", got)
		}
		// One that is moved to another endpoint signs nothing there.
		f.exec("UPDATE webhook_endpoints SET secret = ? WHERE id = ?", current, b.ID)
		if got := open(b.ID); got != nil {
			t.Errorf("opened elsewhere: %v", got)
		}
	})
}

func TestReseal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		old, secretOld := f.webhook("http://127.0.0.1:1/old")
		open, _ := f.webhook("http://127.0.0.1:1/open")
		gone, _ := f.webhook("http://127.0.0.1:1/gone")
		if err := f.Delete(t.Context(), gone.ID); err != nil {
			t.Fatal(err)
		}
		plain := newSecret() // as an older version stored it
		f.exec("UPDATE webhook_endpoints SET secret = ?, previous_secret = ? WHERE id = ?", plain, plain, open.ID)
		both := func(keys ...string) *Service { f.opts.Ring = ring(t, keys...); return f.Service }
		e, err := f.Get(t.Context(), open.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.openSecrets(&e, 0); err != nil || got[0] != plain {
			t.Errorf("before: %v, %v", got, err)
		}
		young := secret.NewKey("young")
		for i, want := range []int{2, 0} {
			if n, err := both(young, testKey).Reseal(t.Context()); err != nil || n != want {
				t.Errorf("run %d changed %d, %v", i, n, err)
			}
		}
		// From now on the old key is not needed.
		s := both(young)
		for id, want := range map[int64]string{old.ID: secretOld, open.ID: plain} {
			e, err := s.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.openSecrets(&e, 0); err != nil || got[0] != want {
				t.Errorf("%d: %v, %v", id, got, err)
			}
		}
	})
}

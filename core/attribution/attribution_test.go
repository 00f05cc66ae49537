package attribution

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"pgregory.net/rapid"
)

const (
	day       = 24 * time.Hour
	program   = 11
	linkID    = 22
	affiliate = 33
)

var clicked = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func keyring(t testing.TB) *click.Keyring {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestDecide(t *testing.T) {
	id := keyring(t).Mint(clicked, 1, linkID, affiliate)
	tests := []struct {
		name   string
		change func(in *Input)
		want   Reason
		says   string
	}{
		{"attributed", func(*Input) {}, Attributed, "1 day before"},
		{"no click", func(in *Input) { in.ClickID = click.ID{} }, NoClick, "named no click"},
		{"not verified", func(in *Input) { in.Verified = false }, UnknownClick, "not one of ours"},
		{"no such link", func(in *Input) { in.Link = nil }, UnknownClick, "not one of ours"},
		{"another link", func(in *Input) { in.Link.ID++ }, UnknownClick, "not one of ours"},
		{"another affiliate", func(in *Input) { in.Link.AffiliateID++ }, UnknownClick, "not one of ours"},
		{"another program", func(in *Input) { in.ProgramID++ }, ProgramMismatch, "another program"},
		{"end of the window", func(in *Input) { in.ReceivedAt = ms(30 * day) }, Attributed, "30 days before"},
		{"after the window", func(in *Input) { in.ReceivedAt = ms(30*day) + 1 }, WindowExpired, "window is 30 days"},
		{"window of zero", func(in *Input) { in.Window = 0 }, WindowExpired, "window is 0s"},
		{"clock behind within tolerance", func(in *Input) { in.ReceivedAt = ms(-FutureTolerance) }, Attributed, "0s before"},
		{"clock behind too far", func(in *Input) { in.ReceivedAt = ms(-FutureTolerance) - 1 }, ClickInFuture, "later than"},
		{"received in the future counts as now", func(in *Input) { in.ReceivedAt = ms(200 * day); in.Now = ms(day) }, Attributed, "1 day before"},
		{"clock ahead at both", func(in *Input) { in.ReceivedAt = ms(time.Second); in.Now = ms(-day) }, Attributed, "0s before"},
		{"clock ahead at the click alone", func(in *Input) { in.ReceivedAt = ms(-day); in.Now = ms(-day) }, ClickInFuture, "later than"},
		{"received never counts as now", func(in *Input) { in.ReceivedAt = 0; in.Now = ms(31 * day) }, WindowExpired, "31 days"},
		{"disabled before the click", func(in *Input) { in.Link.DisabledAt = ms(-time.Second) }, LinkDisabled, "had been disabled"},
		{"disabled at the click", func(in *Input) { in.Link.DisabledAt = ms(0) }, LinkDisabled, "had been disabled"},
		{"disabled after the click", func(in *Input) { in.Link.DisabledAt = ms(0) + 1 }, Attributed, "disabled only later"},
		{"suspended", func(in *Input) { in.Link.Suspended = true }, AffiliateSuspended, "suspended"},
		{"expired goes before suspended", func(in *Input) { in.Link.Suspended = true; in.ReceivedAt = ms(31 * day) }, WindowExpired, "31 days"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{
				ClickID: id, Verified: true, ProgramID: program, ReceivedAt: ms(day), Now: ms(100 * day), Window: 30 * day,
				Link: &Link{ID: linkID, AffiliateID: affiliate, ProgramID: program},
			}
			tt.change(&in)
			got := Decide(in)
			if got.Explanation.Reason != tt.want {
				t.Fatalf("reason %q, want %q", got.Explanation.Reason, tt.want)
			}
			if text := got.Explanation.Text(); !strings.Contains(text, tt.says) {
				t.Errorf("text %q does not say %q", text, tt.says)
			}
			if earns := got.AffiliateID != 0 || got.LinkID != 0; earns != (tt.want == Attributed) {
				t.Errorf("affiliate %d, link %d for %s", got.AffiliateID, got.LinkID, tt.want)
			}
		})
	}
}

func ms(after time.Duration) int64 { return clicked.Add(after).UnixMilli() }

// Whatever the input, the decision explains itself, survives being stored, and is only good with all conditions met.
func TestDecideProperties(t *testing.T) {
	keys := keyring(t)
	rapid.Check(t, func(t *rapid.T) {
		in := Input{
			Verified:   rapid.Bool().Draw(t, "verified"),
			ProgramID:  rapid.Int64Range(1, 3).Draw(t, "program"),
			ReceivedAt: rapid.Int64Range(-1, 5_000_000_000_000).Draw(t, "received"),
			Now:        rapid.Int64Range(1, 5_000_000_000_000).Draw(t, "now"),
			Window:     time.Duration(rapid.Int64Range(0, 400).Draw(t, "days")) * day,
		}
		if rapid.Bool().Draw(t, "click") {
			in.ClickID = keys.Mint(time.UnixMilli(rapid.Int64Range(0, 5_000_000_000_000).Draw(t, "at")), 1,
				rapid.Int64Range(1, 3).Draw(t, "link"), rapid.Int64Range(1, 3).Draw(t, "affiliate"))
		}
		if rapid.Bool().Draw(t, "known") {
			in.Link = &Link{
				ID: rapid.Int64Range(1, 3).Draw(t, "known link"), AffiliateID: rapid.Int64Range(1, 3).Draw(t, "owner"),
				ProgramID: rapid.Int64Range(1, 3).Draw(t, "in program"), DisabledAt: rapid.Int64Range(0, 5_000_000_000_000).Draw(t, "disabled"),
				Suspended: rapid.Bool().Draw(t, "suspended"),
			}
		}
		d := Decide(in)
		kept, err := json.Marshal(d.Explanation)
		if err != nil {
			t.Fatal(err)
		}
		var back Explanation
		if err := json.Unmarshal(kept, &back); err != nil || !reflect.DeepEqual(back, d.Explanation) {
			t.Fatalf("kept as %s, read as %+v (%v)", kept, back, err)
		}
		if text := back.Text(); text == "" || text == string(back.Reason) {
			t.Fatalf("reason %q has no words", back.Reason)
		}
		if d.Explanation.Reason != Attributed {
			return
		}
		age := d.Explanation.ReceivedAt - in.ClickID.UnixMilli()
		ahead := in.ClickID.UnixMilli() - max(d.Explanation.ReceivedAt, in.ReceivedAt)
		if !in.Verified || in.Link.AffiliateID != in.ClickID.AffiliateID() || in.Link.ProgramID != in.ProgramID ||
			in.Link.Suspended || age > in.Window.Milliseconds() || ahead > FutureTolerance.Milliseconds() {
			t.Fatalf("attributed with %+v", in)
		}
	})
}

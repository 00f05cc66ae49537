package payment

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/ident"
)

func TestWebhooksFromStrangers(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	order := f.order()
	ref := f.begin(order)
	good, err := json.Marshal(Event{ID: "evt_1", Changes: []Change{paid(ref, "pay_1")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body, signature string
		want            int
	}{
		"no signature":     {string(good), "", http.StatusUnauthorized},
		"wrong signature":  {string(good), fakeSign([]byte("x")), http.StatusUnauthorized},
		"other body":       {strings.Replace(string(good), "149900", "1", 1), fakeSign(good), http.StatusUnauthorized},
		"a space more":     {string(good) + " ", fakeSign(good), http.StatusUnauthorized},
		"empty":            {"", "", http.StatusUnauthorized},
		"not JSON":         {"{", fakeSign([]byte("{")), http.StatusBadRequest},
		"event of no name": {"{}", fakeSign([]byte("{}")), http.StatusBadRequest},
		"huge":             {strings.Repeat("x", maxWebhook+1), fakeSign([]byte(strings.Repeat("x", maxWebhook+1))), http.StatusRequestEntityTooLarge},
	} {
		if got := f.send([]byte(c.body), c.signature); got != c.want {
			t.Errorf("%s: answered %d, want %d", name, got, c.want)
		}
	}
	f.work()
	f.wantTold(order, "")
	if got := f.send(good, fakeSign(good)); got != http.StatusNoContent {
		t.Fatalf("the genuine one is answered %d", got)
	}
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, WebhookPath+"nowhere", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("unknown gateway: %d", w.Code)
	}
	w = httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, WebhookPath+"fake", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestWebhooksHaveLimits(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	for range maxReceiving {
		f.places <- struct{}{}
	}
	if got := f.send([]byte("{}"), "x"); got != http.StatusServiceUnavailable {
		t.Errorf("when all places are taken: %d", got)
	}
	for range maxReceiving {
		<-f.places
	}
	f.limiters["fake"].AllowN(time.Now(), webhooksAtOnce)
	if got := f.send([]byte("{}"), "x"); got != http.StatusTooManyRequests {
		t.Errorf("when too many have come: %d", got)
	}
}

// The gateway sends again what could not be stored.
func TestWebhookWhileTheDatabaseIsAway(t *testing.T) {
	d, err := db.Open(t.Context(), "sqlite:"+t.TempDir()+"/core.db", db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	f.webhook(http.StatusServiceUnavailable, "evt_1", paid("ref", "pay_1"))
}

func TestBuyersComeBack(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	order := f.order()
	ref := f.begin(order)
	path := ReturnPath + ident.Format(ident.Payment, f.attempts(order)[0].ID)
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?next=https://evil.example/", nil))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://shop.example/thanks" {
		t.Errorf("answered %d, to %q", w.Code, w.Header().Get("Location"))
	}
	// A gateway that signs nothing is asked at once.
	f.gateway.changes[ref] = []Change{paid(ref, "pay_1")}
	f.work()
	f.wantTold(order, "paid 149900")
	for _, bad := range []string{ReturnPath + "x", ReturnPath + ident.Format(ident.Payment, 1), ReturnPath + ident.Format(ident.Link, 1)} {
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, bad, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

// signing is a gateway whose returns are signed.
type signing struct{ *fakeGateway }

func (signing) ParseReturn(ref string, form url.Values) (Event, bool, error) {
	switch form.Get("signature") {
	case "":
		return Event{}, false, nil
	case "good " + ref:
		return Event{ID: "return." + form.Get("payment"), Type: "return", Changes: []Change{{Kind: Refresh, Ref: ref}}}, true, nil
	}
	return Event{}, false, ErrSignature
}

func TestSignedReturns(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	f.gateways["fake"] = signing{f.gateway}
	order := f.order()
	ref := f.begin(order)
	path := ReturnPath + ident.Format(ident.Payment, f.attempts(order)[0].ID)
	post := func(form url.Values, want int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%v: answered %d, want %d", form, w.Code, want)
		}
	}
	post(url.Values{"signature": {"forged"}}, http.StatusBadRequest)
	post(url.Values{}, http.StatusSeeOther)
	f.gateway.changes[ref] = []Change{paid(ref, "pay_1")}
	for range 3 {
		post(url.Values{"signature": {"good " + ref}, "payment": {"pay_1"}}, http.StatusSeeOther)
	}
	f.webhook(http.StatusNoContent, "evt_1", paid(ref, "pay_1"))
	f.work()
	f.wantTold(order, "paid 149900")
}

func TestEventsAndOutcomesAreAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		order := f.order()
		f.webhook(http.StatusNoContent, "evt_1", paid(f.begin(order), "pay_1"))
		f.work()
		for _, statement := range []string{
			"UPDATE payment_events SET type = 'x'", "DELETE FROM payment_events", "UPDATE payment_outcomes SET amount_minor = 1", "DELETE FROM payment_outcomes",
		} {
			err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

func TestBeginRefusesWhatCannotBePaid(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	for name, change := range map[string]func(o *Order){
		"nothing":     func(o *Order) { o.Amount.Minor = 0 },
		"negative":    func(o *Order) { o.Amount.Minor = -1 },
		"too much":    func(o *Order) { o.Amount.Minor = maxAmount + 1 },
		"no currency": func(o *Order) { o.Amount.Currency = "" },
		"script":      func(o *Order) { o.ReturnURL = "javascript:alert(1)" },
	} {
		id := f.order()
		o := f.shop.orders[id]
		change(&o)
		f.shop.orders[id] = o
		if _, err := f.Begin(t.Context(), id, "fake"); !errors.Is(err, ErrNotPayable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

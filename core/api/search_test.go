package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/wire/click"
)

func (s *server) search(text string) api.SearchResult {
	s.t.Helper()
	var r api.SearchResult
	s.do("GET", "/api/v1/search?q="+url.QueryEscape(text), nil).want(http.StatusOK).into(&r)
	return r
}

// names are the hits, as kind and title.
func names(r api.SearchResult) (out []string) {
	for _, h := range r.Hits {
		out = append(out, string(h.Kind)+" "+h.Title)
	}
	return out
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, order := s.soldAndRefunded()
		sale := s.saleOf(order)
		s.do("POST", "/api/v1/conversions", sh.sale("till-7", 100)).want(http.StatusCreated)
		var detail api.OrderDetail
		s.do("GET", "/api/v1/orders/"+order.ID, nil).want(http.StatusOK).into(&detail)
		var st api.OrderStory
		s.do("GET", "/api/v1/orders/"+order.ID+"/story", nil).want(http.StatusOK).into(&st)
		ids := map[string]string{}
		for _, e := range st.Entries {
			ids[string(e.Kind)] = e.ID
		}
		bought := "order " + order.Number
		for _, c := range []struct {
			text string
			want []string
		}{
			{"ann@", []string{"affiliate Ann"}},
			{"ANN@Example.com", []string{"affiliate Ann"}},
			{" bea@example.com ", []string{bought}},
			{"ann", []string{"affiliate Ann"}},
			{"nobody", nil},
			{order.Number, []string{bought, "conversion " + order.Number}},
			{strings.ToLower(order.Number), []string{bought}},
			{detail.Invoices[0].Number, []string{"document " + detail.Invoices[0].Number}},
			{strings.ToLower(detail.Invoices[1].Number), []string{"document " + detail.Invoices[1].Number}},
			{"pay_1", []string{bought, "payment pay_1"}},
			{"till-7", []string{"conversion till-7"}},
			{sh.link.Slug, []string{"link " + sh.link.Slug}},
			{sh.link.Slug[:3], []string{"link " + sh.link.Slug}},
			{"https://go.example/" + sh.link.Slug + "?sub1=x", []string{"link " + sh.link.Slug}},
			{sh.click.String(), []string{"click " + sh.click.String(), bought, "conversion till-7"}},
			{"https://shop.example/course?src=1&click_id=" + sh.click.String(), []string{"click " + sh.click.String(), bought, "conversion till-7"}},
			{order.ID, []string{bought}},
			{strings.ToUpper(order.ID), []string{bought}},
			{order.Lines[0].ID, []string{bought}},
			{ids["refund"], []string{bought}},
			{sh.affiliate.ID, []string{"affiliate Ann"}},
			{sh.program.ID, []string{"program " + sh.program.Name}},
			{sh.link.ID, []string{"link " + sh.link.Slug}},
			{sh.rule.ID, []string{"rule " + sh.rule.ID}},
			{order.Lines[0].ProductID, []string{"product Course a"}},
			{sale, []string{"conversion " + order.Number}},
			{ids["document"], []string{"document " + detail.Invoices[1].Number}},
			{ids["payment"], []string{"payment pay_1"}},
			{ids["payment_event"], []string{"payment_event paid"}},
			{ids["commission"], []string{"commission " + ids["commission"]}},
			{ids["ledger_transaction"], []string{"ledger_transaction commission_reversed"}},
			{ids["audit"], []string{"audit order.refund"}},
			{"ord_0000000000001", nil},
			{"aff_" + order.ID[4:], nil},
			{"xyz_0000000000001", nil},
		} {
			r := s.search(c.text)
			if got := names(r); !slices.Equal(got, c.want) {
				t.Errorf("%q found %q, want %q", c.text, got, c.want)
			}
			for _, p := range r.Parts {
				if p.State != "complete" {
					t.Errorf("%q: %+v", c.text, p)
				}
			}
			for _, h := range r.Hits {
				if h.At == nil || h.Refs == nil || h.ID == "" {
					t.Errorf("%q: %+v", c.text, h)
				}
			}
		}
		mail := s.search(ids["mail"])
		if len(mail.Hits) != 1 || mail.Hits[0].Subtitle != "bea@example.com" {
			t.Errorf("mail %+v", mail)
		}
	})
}

// Nobody finds what he may not read, and a Click ID is believed only if it is ours.
func TestSearchKeepsToTheScopes(t *testing.T) {
	s := sqliteServer(t)
	sh, order := s.soldAndRefunded()
	other, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("another-secret-0")})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.search(other.Mint(s.clock.Now(), 1, 5, 6).String()); len(r.Hits) != 0 || !r.Unsigned {
		t.Errorf("a forged Click ID: %+v", r)
	}
	first := s.search(sh.click.String()).Hits[0]
	if first.Click == nil || first.Click.Browser != "Firefox" || !slices.Equal(first.Refs, []string{sh.affiliate.ID, sh.link.ID}) {
		t.Errorf("click %+v", first)
	}
	s.analytics.err = fmt.Errorf("down")
	r := s.search(sh.click.String())
	if states(r.Parts)["click"] != "unavailable" || len(r.Hits) != 2 || r.Hits[0].Click != nil {
		t.Errorf("without analytics: %+v", r)
	}
	s.bearer = s.token(access.PeopleRead)
	for _, text := range []string{order.Number, sh.link.Slug, "ann@example.com", order.ID, sh.affiliate.ID, sh.click.String(), "pay_1", "aud_0000000000001"} {
		r := s.search(text)
		if len(r.Hits) != 0 || len(r.Parts) == 0 {
			t.Errorf("people:read alone finds by %q: %+v", text, r)
		}
	}
	s.do("GET", "/api/v1/search?q=", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	for _, text := range []string{"\x00", "\xff\xfe", "%", "_", "' OR 1=1 --", strings.Repeat("x", 2048), strings.Repeat("@", 300), "://", "https://%zz", "a@ b", " "} {
		if r := s.search(text); len(r.Hits) != 0 {
			t.Errorf("%q finds %+v", text, r)
		}
	}
}

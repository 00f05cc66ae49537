package api_test

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// A report says what its identifiers are called, to an affiliate only what is his own or open to all.
func TestReportNames(t *testing.T) {
	s := sqliteServer(t)
	one := s.shop()
	var other api.Link
	ben := s.affiliate()
	s.do("POST", "/api/v1/links", map[string]any{"affiliate_id": ben.ID, "program_id": one.program.ID, "slug": "bens-own", "destination": "https://shop.example/"}).
		want(http.StatusCreated).into(&other)
	id := func(kind, text string) int64 {
		n, err := ident.Parse(kind, text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	decimal := func(kind, text string) string { return strconv.FormatInt(id(kind, text), 10) }
	s.analytics.result = report.Result{Rows: []report.Row{{Key: decimal(ident.Link, one.link.ID)}, {Key: "77"}, {Key: ""}}}
	query := "?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z&group_by=link&filter=link:" + other.ID + "&filter=program:!" + one.program.ID + "&filter=affiliate:" + ben.ID

	var got api.Report
	s.do("GET", "/api/v1/reports"+query, nil).want(http.StatusOK).into(&got)
	all := map[string]string{one.link.ID: one.link.Slug, other.ID: "bens-own", one.program.ID: one.program.Name, ben.ID: ben.Name}
	if diff := cmp.Diff(all, got.Names); diff != "" {
		t.Errorf("names for the business (-want +got):\n%s", diff)
	}
	table := s.do("GET", "/api/v1/reports"+query+"&format=csv", nil).want(http.StatusOK)
	lines, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || lines[0][len(lines[0])-1] != "name" || lines[1][len(lines[1])-1] != one.link.Slug {
		t.Errorf("table (%v): %s", err, table.body)
	}

	s.bearer = s.asAffiliate(7, one.affiliate.ID)
	got = api.Report{}
	s.do("GET", mine+"/reports"+query, nil).want(http.StatusOK).into(&got)
	if diff := cmp.Diff(map[string]string{one.link.ID: one.link.Slug, one.program.ID: one.program.Name}, got.Names); diff != "" {
		t.Errorf("names for an affiliate (-want +got):\n%s", diff)
	}

	s.bearer = adminSecret
	s.do("PATCH", "/api/v1/programs/"+one.program.ID, map[string]any{"status": "disabled"}).want(http.StatusOK)
	for person, affiliate := range map[int64]string{8: ben.ID, 9: s.affiliate().ID} {
		s.bearer = s.asAffiliate(person, affiliate)
		got = api.Report{}
		s.do("GET", mine+"/reports"+query, nil).want(http.StatusOK).into(&got)
		if _, known := got.Names[one.program.ID]; known != (affiliate == ben.ID) {
			t.Errorf("a closed program is named to %s: %v", affiliate, known)
		}
		s.bearer = adminSecret
	}
}

func TestCheckSlug(t *testing.T) {
	s := sqliteServer(t)
	sh := s.shop()
	s.bearer = s.asAffiliate(7, sh.affiliate.ID)
	for slug, want := range map[string]api.SlugCheck{
		sh.link.Slug:  {Reason: "taken"},
		"spring-sale": {Free: true},
		"abc":         {Reason: "not_allowed"},
		"postback":    {Reason: "not_allowed"},
		"sp%20ring":   {Slug: "sp ring", Reason: "not_allowed"},
	} {
		if want.Slug == "" {
			want.Slug = slug
		}
		var got api.SlugCheck
		s.do("GET", mine+"/slugs/"+slug, nil).want(http.StatusOK).into(&got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", slug, diff)
		}
	}
}

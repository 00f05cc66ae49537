package commission

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// The examples of docs/commissions.md are right.
func TestWorkedExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/commissions.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, line := range strings.Split(string(doc), "\n") {
		if !strings.HasPrefix(line, "| `{") {
			continue
		}
		count++
		cells := strings.Split(line, "|")
		rule, guard, lines, want := strings.Trim(cells[1], " `"), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])
		if got := example(t, rule, guard, lines); got != want {
			t.Errorf("%s on %s pays %s, and not %s", rule, lines, got, want)
		}
	}
	if count < 8 {
		t.Errorf("%d examples", count)
	}
}

func example(t *testing.T, ruleText, guardText, lines string) string {
	t.Helper()
	var rate struct {
		PercentBP int64         `json:"percent_bp"`
		Flat      *money.Amount `json:"flat"`
		More
	}
	if err := json.Unmarshal([]byte(ruleText), &rate); err != nil {
		t.Fatal(err)
	}
	rule := Rule{ID: 1, Version: 1, On: conversion.Sale, Terms: Terms{PercentBP: rate.PercentBP, Flat: rate.Flat, More: rate.More}}
	if err := rule.Terms.validate(rule.On); err != nil {
		t.Fatal(err)
	}
	src := &Source{AffiliateID: 1, On: conversion.Sale, At: 1}
	if guardText != "" {
		share, err := strconv.ParseInt(guardText, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		src.Terms.MaxShareBP = &share
	}
	for i, text := range strings.Split(lines, ", ") {
		net, err := money.Parse(text, "INR")
		if err != nil {
			t.Fatal(err)
		}
		src.Lines = append(src.Lines, Line{ID: int64(i + 1), ProductID: 1, Quantity: 1, Net: net})
	}
	awards, _, none, err := calculate(t.Context(), []Rule{rule}, src, lookup{
		volume: func(context.Context, int64, int, string) (*volume, error) { return &volume{}, nil },
		upline: func(context.Context, int) ([]sponsor, error) { return []sponsor{{id: 2}, {id: 3}}, nil },
	})
	if err != nil || none != "" {
		t.Fatal(none, err)
	}
	var b strings.Builder
	for i, a := range awards {
		switch {
		case i == 0:
		case a.level == 0:
			b.WriteString(", ")
		default:
			b.WriteString(" + ")
		}
		b.WriteString(a.explanation.Result.Decimal())
		if a.explanation.Text() == "" {
			t.Error("no words")
		}
	}
	return b.String()
}

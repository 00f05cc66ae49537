package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/demo"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/report"
)

// madeDemo makes a demo in a new data directory as serve does, and returns what it needs to be looked at.
func madeDemo(tb testing.TB, size string) (*environment, analyticsStore, *demoPart) {
	tb.Helper()
	c, err := config.NewLoader().Load(config.Serve, []string{
		"EDGEREF_DATA=" + tb.TempDir(), "EDGEREF_DEMO=true", "EDGEREF_DEMO_SIZE=" + size, "EDGEREF_CORE_LISTEN=127.0.0.1:0",
	})
	if err != nil {
		tb.Fatal(err)
	}
	demoConfig(c)
	if err := fillSecrets(c, true); err != nil {
		tb.Fatal(err)
	}
	keys, err := keyring(c)
	if err != nil {
		tb.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	e := &environment{config: c, log: log, registry: prometheus.NewRegistry(), parts: &parts{log: log}}
	tb.Cleanup(func() {
		if err := e.parts.stop(); err != nil {
			tb.Error(err)
		}
	})
	store, err := e.openAnalytics(tb.Context(), true)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	var out bytes.Buffer
	p := &program{stdout: &out, stderr: &out}
	d, err := p.makeDemo(tb.Context(), e, keys, store)
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.Contains(out.String(), "100 %") {
		tb.Errorf("progress:\n%s", out.String())
	}
	return e, store, d
}

// What reports say is what orders, commissions and the ledger say, to the paisa.
func TestDemoReportsAreTheBooks(t *testing.T) {
	e, store, d := madeDemo(t, "small")
	database, err := e.openDatabase(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	books := ledger.New(ledger.Options{DB: database, Reconcile: payout.Reconcile})
	found, err := books.Verify(t.Context())
	if err != nil || found.Break != nil || found.Unsealed > 0 {
		t.Fatalf("ledger: %+v, %v", found, err)
	}
	now := time.Now()
	got, err := store.Report(t.Context(), report.Query{From: now.AddDate(0, 0, -demo.Small().Days-1), To: now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if total := got.Total; total.Clicks < int64(demo.Small().Clicks)*8/10 || total.Bots*50 < total.Clicks || total.Uniques < total.Clicks/3 {
		t.Errorf("total %+v", total)
	}
	for _, m := range got.Total.Money {
		spent := int64(0)
		for _, b := range found.Balances {
			if b.Kind == ledger.Expense && b.Amount.Currency == m.Currency {
				spent = -b.Amount.Minor
			}
		}
		var sold int64
		err := database.QueryRow(t.Context(), `SELECT COALESCE(SUM(CASE WHEN closed = 2 THEN 0 WHEN type = 'refund' THEN -amount_minor ELSE amount_minor END), 0)
			FROM conversions WHERE state = 'booked' AND currency = ? AND type IN ('sale', 'refund', 'restored')`, m.Currency).Scan(&sold)
		if err != nil {
			t.Fatal(err)
		}
		if m.Commission != spent {
			t.Errorf("reports say %d %s of commission, the ledger %d", m.Commission, m.Currency, spent)
		}
		if m.Revenue != sold {
			t.Errorf("reports say %d %s of revenue, the conversions %d", m.Revenue, m.Currency, sold)
		}
	}
	if d.values["DEMO_PASSWORD"] == "" || d.values["POSTBACK_SECRET"] == "" || d.values["REPORTS_TOKEN"] == "" {
		t.Errorf("demo.env lacks values: %v", d.values)
	}
	again, err := readDemoFile(e.config.Data)
	if err != nil || again["DEMO_PASSWORD"] != d.values["DEMO_PASSWORD"] || again["DEMO_OWNER"] != "owner@"+demo.Domain {
		t.Errorf("read again: %v, %v", again, err)
	}
	if err := os.Remove(filepath.Join(e.config.Data, demoFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := readDemoFile(e.config.Data); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("without its file: %v", err)
	}
}

func TestDemoErrorsSayWhatToDo(t *testing.T) {
	for cause, want := range map[error]string{
		demo.ErrForeign:         "name an empty directory with --data",
		demo.ErrHalf:            "remove it, and start with --demo again",
		errors.New("disk full"): "disk full; before another try, remove d",
	} {
		if got := demoError("d", cause); !strings.Contains(got.Error(), want) {
			t.Errorf("%v: %q lacks %q", cause, got, want)
		}
	}
}

// BenchmarkWholeDemo makes the demo of make run: 300,000 clicks in 90 days.
func BenchmarkWholeDemo(b *testing.B) {
	for b.Loop() {
		madeDemo(b, "whole")
	}
}

package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/live"
	"github.com/edgeref/edgeref/wire/ident"
)

func liveModule(s *server) api.Module {
	h := live.New(live.Options{
		Sources: []live.Source{api.ClickSource(s.self.Reports, s.clock.Now), api.ConversionSource(s.self.Conversions)}, Now: s.clock.Now, Every: 10 * time.Millisecond,
	})
	s.t.Cleanup(h.Close)
	if s.watching == 0 {
		s.watching = time.Millisecond // the tests of all operations read them to their end
	}
	return api.Live(h, s.watching)
}

// watch opens a stream and gives its lines; the first says that it is open.
func (s *server) watch(path, bearer string) (lines <-chan string, end func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" || resp.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	out := make(chan string, 100)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		for scanner := bufio.NewScanner(resp.Body); scanner.Scan(); {
			out <- scanner.Text()
		}
	}()
	for line := range out {
		if line == ": watching" {
			break
		}
	}
	return out, cancel
}

// next is the next line that begins so, within a time that only a broken stream needs.
func next(t *testing.T, lines <-chan string, begin string) string {
	t.Helper()
	end := time.After(10 * time.Second)
	for {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatalf("the stream ended before %q", begin)
			}
			if strings.HasPrefix(line, begin) {
				return line
			}
		case <-end:
			t.Fatalf("no %q", begin)
		}
	}
}

func TestLive(t *testing.T) {
	long := func(s *server) []api.Module {
		s.watching = time.Minute
		return modules(s)
	}
	eachWith(t, long, func(t *testing.T, s *server) {
		sh := s.shop()
		affiliate, err := ident.Parse(ident.Affiliate, sh.affiliate.ID)
		if err != nil {
			t.Fatal(err)
		}
		mine := s.signIn(7, func(p *access.Principal) { p.AffiliateID = affiliate }, access.RoleAffiliate)
		other := s.signIn(8, func(p *access.Principal) { p.AffiliateID = s.otherAffiliate() }, access.RoleAffiliate)
		all, end1 := s.watch("/api/v1/live", adminSecret)
		own, end2 := s.watch("/api/v1/me/affiliate/live", mine)
		others, end3 := s.watch("/api/v1/me/affiliate/live", other)
		defer end1()
		defer end2()
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 100)).want(http.StatusCreated)
		for _, lines := range []<-chan string{all, own} {
			if next(t, lines, "event: conversion"); !strings.Contains(next(t, lines, "data: "), `"txn_id":"o-1"`) {
				t.Error("another conversion")
			}
		}
		end3()
		for line := range others {
			if strings.HasPrefix(line, "event:") {
				t.Errorf("another affiliate is told %q", line)
			}
		}
		s.bearer = mine
		s.do("GET", "/api/v1/live", nil).want(http.StatusForbidden, "forbidden")
		for range live.MaxOfOne - 1 {
			_, end := s.watch("/api/v1/me/affiliate/live", mine)
			defer end()
		}
		s.do("GET", "/api/v1/me/affiliate/live", nil).want(http.StatusTooManyRequests, "too_many_listeners")
	})
}

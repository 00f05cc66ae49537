package replay

import (
	"compress/gzip"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const stamp = `[17/May/2015:10:05:03 +0000]`

func TestParseLine(t *testing.T) {
	at := time.Date(2015, 5, 17, 10, 5, 3, 0, time.UTC)
	v4 := netip.MustParseAddr("83.149.9.216")
	tests := []struct {
		name, in string
		want     logLine
	}{
		{"plain", `83.149.9.216 - - ` + stamp + ` "GET /a/b.png?x=1 HTTP/1.1" 200 203023 "http://e.com/p" "Mozilla/5.0 (X)"`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/a/b.png?x=1", Referrer: "http://e.com/p", UserAgent: "Mozilla/5.0 (X)"}},
		{"dashes", `83.149.9.216 - - ` + stamp + ` "HEAD / HTTP/1.0" 304 - "-" "-"`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "HEAD", Target: "/"}},
		{"escapes", `83.149.9.216 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "http://\xe4\xE5/\\" "say \"hi\"\t\q"`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/", Referrer: "http://\xe4\xe5/\\", UserAgent: "say \"hi\"\t\\q"}},
		{"cut at the end", `83.149.9.216 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "-" "Mozilla/5.0 (compatible`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/", UserAgent: "Mozilla/5.0 (compatible"}},
		{"IPv6, user with a space, CRLF", "2001:db8::1 - ann lee " + stamp + ` "GET /x HTTP/2.0" 200 1 "-" "a"` + "\r\n",
			logLine{Host: "2001:db8::1", Addr: netip.MustParseAddr("2001:db8::1"), Time: at, Method: "GET", Target: "/x", UserAgent: "a"}},
		{"mapped IPv4", `::ffff:83.149.9.216 - - ` + stamp + ` "GET /x HTTP/2.0" 200 1 "-" "a"`,
			logLine{Host: "::ffff:83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/x", UserAgent: "a"}},
		{"host name", `host.example - - ` + stamp + ` "GET /x HTTP/2.0" 200 1 "-" "a"`,
			logLine{Host: "host.example", Time: at, Method: "GET", Target: "/x", UserAgent: "a"}},
		{"zone", `83.149.9.216 - - [17/May/2015:15:35:03 +0530] "GET /x HTTP/2.0" 200 1 "-" "a"`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/x", UserAgent: "a"}},
		{"space in target, no protocol", `83.149.9.216 - - ` + stamp + ` "GET /a b" 400 1 "-" "a"`,
			logLine{Host: "83.149.9.216", Addr: v4, Time: at, Method: "GET", Target: "/a b", UserAgent: "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseLine(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateApproxTime(0)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseLineMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"empty":               "",
		"no time":             `1.2.3.4 - - "GET / HTTP/1.0" 200 1 "-" "a"`,
		"bad time":            `1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 1 "-" "a"`,
		"empty request":       `1.2.3.4 - - ` + stamp + ` "-" 408 1 "-" "a"`,
		"TLS to a plain port": `1.2.3.4 - - ` + stamp + ` "\x16\x03\x01 \x00" 400 1 "-" "a"`,
		"open referrer":       `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "http://e.com`,
		"no agent":            `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "-"`,
		"common format":       `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 1`,
		"bad status":          `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 2x0 1 "-" "a"`,
		"bad size":            `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 one "-" "a"`,
		"trailing":            `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "-" "a" more`,
		"too long":            `1.2.3.4 - - ` + stamp + ` "GET / HTTP/1.0" 200 1 "-" "` + strings.Repeat("a", maxLine) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			if l, err := parseLine(in); !errors.Is(err, errLine) {
				t.Errorf("got %+v, %v; want errLine", l, err)
			}
		})
	}
}

func TestForEachLine(t *testing.T) {
	good := `1.2.3.4 - - ` + stamp + ` "GET /x HTTP/1.0" 200 1 "-" "a"`
	text := good + "\nnonsense\n" + strings.Repeat("z", 3*maxLine) + "\n\n" + good // no newline at the end
	plain, packed := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "log.anything")
	if err := os.WriteFile(plain, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var z strings.Builder
	zw := gzip.NewWriter(&z)
	if _, err := zw.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packed, []byte(z.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, packed} {
		var numbers []int
		stats, err := forEachLine(context.Background(), path, 0, func(n int, _ *logLine) error {
			numbers = append(numbers, n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{1, 5}, numbers); diff != "" {
			t.Error(diff)
		}
		if stats.Lines != 5 || stats.Malformed != 3 || len(stats.Problems) != 3 {
			t.Errorf("got %+v", stats)
		}
	}
	stats, err := forEachLine(context.Background(), plain, 1, func(int, *logLine) error { return nil })
	if err != nil || stats.Lines != 1 {
		t.Errorf("with a limit: got %+v, %v", stats, err)
	}
}

// The shipped extract parses without exception, and so does the whole log where it is at hand.
func TestRealLogs(t *testing.T) {
	for path, want := range map[string]int{
		"testdata/access-log-sample.log":         sampleLines,
		"../../../shared/data/access-log-10k.gz": 10_000,
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, err := os.Stat(path); err != nil {
				t.Skipf("not here: %v", err)
			}
			stats, err := forEachLine(context.Background(), path, 0, func(int, *logLine) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if stats.Lines != want || stats.Malformed != 0 {
				t.Errorf("got %+v, want %d lines", stats, want)
			}
		})
	}
}

const sampleLines = 300

func FuzzParseLine(f *testing.F) {
	f.Add(`83.149.9.216 - - ` + stamp + ` "GET /a?x HTTP/1.1" 200 1 "http://e.com/p" "Mozilla/5.0 \"q\" \xe4"`)
	f.Add(`2001:db8::1 - u [17/May/2015:10:05:03 -0930] "HEAD / HTTP/1.0" 304 - "-" "\x`)
	f.Add(`a b c [] "" 1 1 "" "\`)
	f.Fuzz(func(t *testing.T, in string) {
		l, err := parseLine(in)
		if err != nil {
			if !errors.Is(err, errLine) {
				t.Fatalf("error does not wrap errLine: %v", err)
			}
			return
		}
		if l.Method == "" || l.Target == "" || l.Host == "" || l.Time.IsZero() && !strings.Contains(in, "0001") {
			t.Fatalf("accepted with a gap: %+v", l)
		}
		if strings.Contains(l.Addr.Zone(), "%") || l.Addr.Is4In6() {
			t.Fatalf("address not normalised: %v", l.Addr)
		}
	})
}

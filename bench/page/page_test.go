package page

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWriteShowsEverythingEscaped(t *testing.T) {
	var b strings.Builder
	err := Write(&b, &Page{
		Title: "Day <script>", Subtitle: "a & b", Passed: false,
		Targets: []Target{{"p99", "< 20 ms", "31 ms", false}},
		Tables:  []Table{{Title: "Conservation", Head: []string{"what", "n"}, Rows: [][]string{{"sent", "5"}}, Note: "exact"}},
		Plots:   []Plot{{Title: "Latency", LogY: true, Series: []Series{{"p50", []Point{{0, 0}, {1, 3}, {2, 40}}}}}, {Title: "Empty"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Day &lt;script&gt;", "a &amp; b", "not all targets held", "&lt; 20 ms", "31 ms", "sent", "exact", "no data", `class="line c0"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("page lacks %q", want)
		}
	}
	for _, outside := range []string{"<script", "http://", "https://"} {
		if strings.Contains(b.String(), outside) {
			t.Errorf("page has %q", outside)
		}
	}
}

// Whatever the values, a plot is well-formed and stays inside its frame.
func TestPlotsStayInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plot{Title: "x", LogY: rapid.Bool().Draw(t, "log")}
		for range rapid.IntRange(0, 3).Draw(t, "series") {
			var s Series
			for i := range rapid.IntRange(0, 20).Draw(t, "points") {
				s.Points = append(s.Points, Point{float64(i), rapid.Float64Range(-1e3, 1e9).Draw(t, "y")})
			}
			p.Series = append(p.Series, s)
		}
		out := string(svg(p))
		decoder := xml.NewDecoder(strings.NewReader(out))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, out)
			}
		}
		if strings.Contains(out, "NaN") || strings.Contains(out, "Inf") {
			t.Fatalf("not a number in %s", out)
		}
		x, y, any := scales(p)
		for _, s := range p.Series {
			for _, pt := range s.Points {
				if !any || p.LogY && pt.Y < least {
					continue
				}
				px, py := x.at(pt.X), y.at(pt.Y)
				if px < left-0.01 || px > width-right+0.01 || py < top-0.01 || py > height-bottom+0.01 {
					t.Fatalf("(%g, %g) is drawn at (%g, %g)", pt.X, pt.Y, px, py)
				}
			}
		}
	})
}

func TestLabels(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.5: "0.5", 1200: "1200", 20_000: "20k", 1_500_000: "1.5M", 2e9: "2G", -3: "-3"} {
		if got := label(v); got != want {
			t.Errorf("%g is labelled %q; want %q", v, got, want)
		}
	}
	if niceStep(0.3) != 0.5 || niceStep(11) != 20 || math.IsNaN(niceStep(0)) {
		t.Error("steps are not round")
	}
}

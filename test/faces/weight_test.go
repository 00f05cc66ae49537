package faces

import (
	"testing"

	"github.com/edgeref/edgeref/test/browser"
)

// maxScript is what the first page of an area may load of JavaScript, compressed.
const maxScript = 350_000 // bytes

type loading struct {
	Script float64 `json:"script"` // bytes, compressed
	Paint  float64 `json:"paint"`  // ms until something is seen
	Drawn  float64 `json:"drawn"`  // ms until the last answer that the page needs was there
}

func load(tab *browser.Tab, address string) loading {
	tab.Go(address)
	return browser.Eval[loading](tab, `(() => {
		const resources = performance.getEntriesByType("resource");
		return {
			script: resources.filter(r => new URL(r.name).pathname.endsWith(".js")).reduce((sum, r) => sum + r.encodedBodySize, 0),
			paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
			drawn: Math.max(0, ...resources.filter(r => r.name.includes("/api/")).map(r => r.responseEnd)),
		};
	})()`)
}

func light(t *testing.T, b *business, chromium *browser.Browser) {
	for who, path := range map[string]string{"DEMO_AFFILIATE": "/app/affiliate", "DEMO_OWNER": "/app/admin"} {
		got := load(b.signIn(t, chromium, who), b.Core+path)
		t.Logf("%s: %.0f bytes of scripts, first paint after %.0f ms, all answers after %.0f ms", path, got.Script, got.Paint, got.Drawn)
		if got.Script == 0 || got.Script > maxScript {
			t.Errorf("%s loads %.0f bytes of scripts, at most %d are meant", path, got.Script, maxScript)
		}
	}
}

// BenchmarkOverview measures the first page of the back office and of an affiliate, over the demo's 300,000 clicks.
func BenchmarkOverview(b *testing.B) {
	business := open(b, large)
	chromium := browser.Start(b)
	for who, path := range map[string]string{"DEMO_AFFILIATE": "/app/affiliate", "DEMO_OWNER": "/app/admin"} {
		tab := business.signIn(b, chromium, who)
		b.Run(path, func(b *testing.B) {
			var paint, drawn float64
			for range b.N {
				tab.ClearCache()
				got := load(tab, business.Core+path)
				paint, drawn = paint+got.Paint, drawn+got.Drawn
			}
			b.ReportMetric(paint/float64(b.N), "paint-ms")
			b.ReportMetric(drawn/float64(b.N), "drawn-ms")
		})
	}
}

package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeref/edgeref/core/shop"
)

// BenchmarkPages is the time of a page with its queries, and its bytes plain and compressed.
func BenchmarkPages(b *testing.B) {
	w := stocked(b)
	for i := range 20 {
		w.product(fmt.Sprintf("more-%d", i), 100_000, func(p *shop.Product) { p.Name = fmt.Sprintf("Another course, number %d", i) })
	}
	for _, path := range []string{"/", "/products", "/products/both", "/checkout/sales", "/legal/contact"} {
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(path+" "+encoding, func(b *testing.B) {
				b.ReportAllocs()
				size := 0
				for i := 0; b.Loop(); i++ {
					w.millis.Add(60_000) // nobody is held up
					r := httptest.NewRequest(http.MethodGet, path, nil)
					r.Header.Set("Accept-Encoding", encoding)
					got := httptest.NewRecorder()
					w.handler.ServeHTTP(got, r)
					if got.Code != http.StatusOK {
						b.Fatal(got.Code)
					}
					size = got.Body.Len()
				}
				b.ReportMetric(float64(size), "bytes/page")
			})
		}
	}
}

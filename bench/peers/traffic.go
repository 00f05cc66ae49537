package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// A request is one of these slugs with one of these browsers; both are drawn once, so that the client spends its core on
// sending and not on drawing.
const (
	draws     = 1 << 14
	zipfShape = 1.1
	seed      = 20200401
)

// destination is where every link leads; the bare handler and nginx answer with the same length.
const destination = "https://trainings.example.com/courses/sales-mastery?utm_source=partner"

func browsers() []string {
	agents := []string{
		"Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"Mozilla/5.0 (Linux; Android 14; SM-A156E; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/530.0.0.48.70;]",
	}
	referrers := []string{
		"", "Referer: https://www.youtube.com/\r\n", "Referer: https://l.instagram.com/\r\n", "Referer: https://blog.example.org/how-to-sell/\r\n",
	}
	var heads []string
	for i, agent := range agents {
		for _, referrer := range referrers {
			heads = append(heads, " HTTP/1.1\r\nHost: go.example.com\r\nUser-Agent: "+agent+"\r\n"+
				"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\n"+
				"Accept-Language: en-IN,en;q=0.9,hi;q=0.8\r\n"+referrer+"CF-Connecting-IP: 203.0.113."+strconv.Itoa(10+i)+"\r\nCF-IPCountry: IN\r\n\r\n")
		}
	}
	return heads
}

func slug(i int) string { return fmt.Sprintf("partner-%d", i) }

// requests returns a source of requests for n links, the same in every run; few links get most of them.
func requests(n int) func(dst []byte, i uint64) []byte {
	random := rand.New(rand.NewPCG(seed, seed))
	zipf := rand.NewZipf(random, zipfShape, 8, uint64(n-1))
	heads, targets, drawn := browsers(), make([]string, draws), make([]string, draws)
	for i := range draws {
		targets[i] = "GET /" + slug(int(zipf.Uint64())) + "?sub1=campaign-" + strconv.Itoa(random.IntN(20))
		drawn[i] = heads[random.IntN(len(heads))]
	}
	return func(dst []byte, i uint64) []byte {
		dst = append(dst, targets[i%draws]...)
		return append(dst, drawn[i%draws]...)
	}
}

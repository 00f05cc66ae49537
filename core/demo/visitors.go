package demo

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sort"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
)

// visitorList is never written.
//
//go:embed visitors.tsv
var visitorList string

// visitor is one kind of client, as its clicks are stored.
type visitor struct {
	record click.Record // what its user agent says
	from   string
}

// crowd is who visits.
type crowd struct {
	kinds []visitor
	sums  []int // of weights
}

func newCrowd() (*crowd, error) {
	agents, err := agent.New(0)
	if err != nil {
		return nil, fmt.Errorf("load user agents: %w", err)
	}
	c, total := &crowd{}, 0
	for line := range strings.Lines(visitorList) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		weight, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) != 3 {
			return nil, fmt.Errorf("BUG: visitors.tsv: %q", line)
		}
		v := visitor{record: click.Record{UserAgent: fields[1]}, from: fields[2]}
		agents.Enrich(&v.record)
		total += weight
		c.kinds, c.sums = append(c.kinds, v), append(c.sums, total)
	}
	return c, nil
}

// pick is a visitor's kind.
func (c *crowd) pick(r *rand.Rand) *visitor {
	n := r.IntN(c.sums[len(c.sums)-1])
	return &c.kinds[sort.SearchInts(c.sums, n+1)]
}

// referrer is where a visitor comes from: host, path, and what the link in his hand says.
func referrer(from, site string, r *rand.Rand) (host, path, sub, source, medium string) {
	switch from {
	case "search":
		return one(r, []string{"www.google.com", "www.google.co.in", "www.google.co.in", "www.bing.com", "duckduckgo.com"}), "/", "", "", ""
	case "site":
		return site, one(r, []string{"/", "/blog/how-i-started", "/blog/three-courses-compared", "/resources"}), "blog", "", ""
	case "instagram":
		return "l.instagram.com", "/", "bio", "instagram", "social"
	case "facebook":
		return "lm.facebook.com", "/l.php", "group", "facebook", "social"
	case "youtube":
		return "www.youtube.com", "/watch", "description", "youtube", "video"
	case "telegram":
		return "t.me", "/s/" + strings.TrimSuffix(site, ".example"), "channel", "telegram", "social"
	case "whatsapp":
		return "", "", "whatsapp", "whatsapp", "chat"
	case "mail":
		return "", "", "newsletter", "newsletter", "email"
	case "other":
		return one(r, []string{"www.quora.com", "www.reddit.com", "news.ycombinator.com", "www.linkedin.com"}), "/", "forum", "", ""
	}
	return "", "", "", "", ""
}

func languageOf(country string, r *rand.Rand) string {
	if country == "IN" {
		return one(r, []string{"en", "en", "en", "en", "hi", "hi", "hi", "mr", "ta", "te", "bn", "gu"})
	}
	return one(r, []string{"en", "en", "en", "de", "ne", "ar"})
}

func countryOf(r *rand.Rand) string {
	switch n := r.IntN(100); {
	case n < 82:
		return "IN"
	case n < 86:
		return "NP"
	case n < 90:
		return "AE"
	case n < 94:
		return "US"
	case n < 96:
		return "GB"
	}
	return one(r, []string{"DE", "SG", "CA", "AU", "BD", "LK", "XX"})
}

// networkOf is a client's network, of the ranges for benchmarks and documentation (RFC 2544, RFC 3849).
func networkOf(n uint64) string {
	if n%8 == 0 {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(n >> 8)}), 48).String()
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18 + byte(n>>3)&1, byte(n >> 8), 0}), 24).String()
}

package trial

import (
	_ "embed"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/wire/agent"
)

// visitorList holds real user agents and referrers, by how often they came together. It is never written.
//
//go:embed visitors.tsv
var visitorList string

// headShare is how many requests are HEAD: link previews and uptime checks.
const headShare = 0.01

// subIDs is how many values sub1 takes.
const subIDs = 20

// Which number of a request decides what.
const (
	drawLink = iota
	drawVisitor
	drawAddr
	drawHead
	drawParams
	drawCountry
	drawConvert
)

// visitors makes the requests of visitors. It is safe for concurrent use.
type visitors struct {
	world     *world
	host      string
	people    []visitor // each as often as it came
	countries []string
	languages []string
	sources   []string
	campaigns []string
	subs      []string
}

// visitor is one kind of client.
type visitor struct {
	agent, referrer string
	headers         string // both, with line ends
	bot             bool   // the user agent is a crawler's, or there is none
}

func newVisitors(host string, w *world) (*visitors, error) {
	v := &visitors{
		world: w, host: host,
		countries: []string{"IN", "IN", "IN", "IN", "IN", "IN", "NP", "AE", "US", "GB", "DE", "XX"},
		languages: []string{"en-IN,en;q=0.9", "hi-IN,hi;q=0.9,en;q=0.8", "en-US,en;q=0.9", "mr-IN,mr;q=0.8", "de"},
		sources:   []string{"newsletter", "instagram", "youtube", "whatsapp", "blog"},
		campaigns: []string{"launch-0", "launch-1", "launch-2", "launch-3", "launch-4"},
	}
	for i := range subIDs {
		v.subs = append(v.subs, "s"+strconv.Itoa(i))
	}
	agents, err := agent.New(0)
	if err != nil {
		return nil, fmt.Errorf("load user agents: %w", err)
	}
	for n, line := range strings.Split(strings.TrimRight(visitorList, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		times, err := strconv.Atoi(fields[0])
		if len(fields) != 3 || err != nil {
			return nil, fmt.Errorf("BUG: visitors.tsv, line %d", n+1)
		}
		one := visitor{agent: fields[1], referrer: fields[2], bot: fields[1] == "" || agents.Classify(fields[1]).Crawler}
		for i, name := range []string{"User-Agent", "Referer"} {
			if fields[i+1] != "" {
				one.headers += name + ": " + fields[i+1] + "\r\n"
			}
		}
		for range times {
			v.people = append(v.people, one)
		}
	}
	return v, nil
}

// isHead and isBot say what request n is.
func isHead(n uint64) bool { return happens(draw(n, drawHead), headShare) }

func (v *visitors) isBot(n uint64) bool { return isHead(n) || v.visitor(n).bot }

func (v *visitors) visitor(n uint64) *visitor {
	return &v.people[draw(n, drawVisitor)%uint64(len(v.people))]
}

// request appends request n. Everything about it follows from n.
func (v *visitors) request(dst []byte, n uint64) []byte {
	if isHead(n) {
		dst = append(dst, "HEAD /"...)
	} else {
		dst = append(dst, "GET /"...)
	}
	dst = append(dst, v.world.links[v.world.link(draw(n, drawLink))].slug...)
	params := draw(n, drawParams)
	dst = append(dst, "?sub1="...)
	dst = append(dst, v.subs[params%subIDs]...)
	if params>>8%4 == 0 {
		dst = append(dst, "&utm_source="...)
		dst = append(dst, v.sources[params>>16%uint64(len(v.sources))]...)
		dst = append(dst, "&utm_campaign="...)
		dst = append(dst, v.campaigns[params>>24%uint64(len(v.campaigns))]...)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, v.host...)
	dst = append(dst, "\r\nCF-Connecting-IP: "...)
	dst = address(draw(n, drawAddr)).AppendTo(dst)
	place := draw(n, drawCountry)
	dst = append(dst, "\r\nCF-IPCountry: "...)
	dst = append(dst, v.countries[place%uint64(len(v.countries))]...)
	dst = append(dst, "\r\nAccept-Language: "...)
	dst = append(dst, v.languages[place>>8%uint64(len(v.languages))]...)
	dst = append(dst, "\r\n"...)
	dst = append(dst, v.visitor(n).headers...)
	return append(dst, "\r\n"...)
}

// address is a client's: of the range for benchmarks (RFC 2544), 131,072 of them, and for every eighth of the range for
// documentation (RFC 3849).
func address(d uint64) netip.Addr {
	if d%8 == 0 {
		b := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(d >> 8), byte(d >> 16), byte(d >> 24), 15: 1}
		return netip.AddrFrom16(b)
	}
	return netip.AddrFrom4([4]byte{198, 18 + byte(d>>8)&1, byte(d >> 16), byte(d >> 24)})
}

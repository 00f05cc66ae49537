package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

const (
	senders    = 8
	perSecond  = 400 // requests of all senders together
	saleEvery  = 5   // clicks
	priceMinor = 100_000
	shareMinor = 80_000 // of it, to the affiliate
)

// traffic is clicks and sales on one link, and what was answered.
type traffic struct {
	slug, secret, affiliate string
	trackers                []string
	sub1                    func(n int) string // nil: none

	mu      sync.Mutex
	clicks  map[string]time.Time // answered Click IDs, with the time of the answer
	sales   map[string]bool      // acknowledged transactions
	maybe   map[string]bool      // sent, without an answer
	without int                  // redirects without a Click ID
	failed  int                  // requests without an answer
	other   map[int]int          // other answers
	reasons map[string]int
	first   int // number of the first request
	cancel  context.CancelFunc
	gate    sync.RWMutex // held for reading by each sender while it sends
	epoch   int          // guarded by gate; a sale is of a click of the same one
	done    sync.WaitGroup
}

// begin starts sending; end stops it.
func (tr *traffic) begin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tr.cancel = cancel
	tokens := make(chan int)
	tr.done.Go(func() {
		defer close(tokens)
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for n := tr.first; ; n++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			select {
			case tokens <- n:
			case <-ctx.Done():
				return
			}
		}
	})
	for range senders {
		tr.done.Go(func() {
			last, epoch := "", 0
			for n := range tokens {
				tr.gate.RLock()
				if epoch != tr.epoch {
					last, epoch = "", tr.epoch
				}
				if n%saleEvery == 0 && last != "" {
					tr.sale(n, last)
				} else if id := tr.click(n); id != "" {
					last = id
				}
				tr.gate.RUnlock()
			}
		})
	}
}

// pause does something while no request is under way. Sales after it are of clicks after it.
func (tr *traffic) pause(do func()) {
	tr.gate.Lock()
	defer tr.gate.Unlock()
	do()
	tr.epoch++
}

func (tr *traffic) end() {
	tr.cancel()
	tr.done.Wait()
}

func (tr *traffic) request(n int, path string) (*http.Response, error) {
	return request(tr.trackers[n%len(tr.trackers)] + path)
}

func request(url string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// follow follows another link of the same affiliate, and reports whether it redirects with a Click ID.
func (tr *traffic) follow(tracker, slug string) bool {
	resp, err := request(tracker + "/" + slug)
	if err != nil || resp.StatusCode != http.StatusFound {
		return false
	}
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || location.Query().Get("click_id") == "" {
		return false
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.clicks[location.Query().Get("click_id")] = time.Now()
	return true
}

func (tr *traffic) click(n int) string {
	path := "/" + tr.slug
	if tr.sub1 != nil {
		path += "?sub1=" + tr.sub1(n)
	}
	resp, err := tr.request(n, path)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if err != nil {
		tr.failed++
		tr.reasons[reason(err)]++
		return ""
	}
	if resp.StatusCode != http.StatusFound {
		tr.other[resp.StatusCode]++
		return ""
	}
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || location.Query().Get("click_id") == "" {
		tr.without++
		return ""
	}
	id := location.Query().Get("click_id")
	tr.clicks[id] = time.Now()
	return id
}

// reason is an error without the request's URL.
func reason(err error) string {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return fmt.Sprintf("%.120s", err)
}

func (tr *traffic) sale(n int, click string) {
	txn := fmt.Sprintf("%s-%d", tr.slug, n)
	resp, err := tr.request(n, "/postback?"+url.Values{
		"click_id": {click}, "txid": {txn}, "amount": {"1000.00"}, "currency": {"INR"}, "secret": {tr.secret},
	}.Encode())
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case err != nil:
		tr.failed++
		tr.reasons[reason(err)]++
		tr.maybe[txn] = true
	case resp.StatusCode == http.StatusOK:
		tr.sales[txn] = true
	default:
		tr.other[resp.StatusCode]++
		tr.maybe[txn] = true
	}
}

// answered is how many Click IDs have left so far.
func (tr *traffic) answered() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.clicks)
}

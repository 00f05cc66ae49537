package trial

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/meter"
	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
)

const (
	fillBatch    = 10_000 // clicks in one batch: a tracker's
	fillers      = 2      // batches under way
	fillAttempts = 10
	fillTimeout  = time.Minute // one attempt
)

// Fill is how the click store was filled.
type Fill struct {
	Clicks  int64         `json:"clicks"`
	Bots    int64         `json:"bots"`
	Days    int           `json:"days"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Again   int64         `json:"sent_again"` // batches that had to be sent again
}

// filler writes clicks of the past to the store as a tracker delivers them: in batches, over the edge API. (Through a
// tracker they would all carry the present's time, and 20 million would take its spool an hour.)
type filler struct {
	url, token string
	http       *http.Client
	world      *world
	people     []click.Record // what a record has of each visitor
	visitors   *visitors
	keys       *click.Keyring // of this run alone: the core takes a tracker's word for its clicks
	from       time.Time
	span       time.Duration
	rows       uint64 // over the whole span
	links      []fillLink
	program    int64

	bots, again atomic.Int64
}

type fillLink struct{ link, affiliate int64 }

func newFiller(core, token string, w *world, v *visitors, from time.Time, span time.Duration, rows uint64) (*filler, error) {
	key := click.Key{ID: 1, Secret: []byte("clicks of a load test: " + w.run)}
	keys, err := click.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	f := &filler{
		url: strings.TrimRight(core, "/") + "/edge/v1/clicks", token: token, http: &http.Client{Timeout: fillTimeout},
		world: w, visitors: v, keys: keys, from: from, span: span, rows: rows,
	}
	if f.program, err = ident.Parse(ident.Program, w.program.id); err != nil {
		return nil, err
	}
	for _, l := range w.links {
		link, err1 := ident.Parse(ident.Link, l.id)
		affiliate, err2 := ident.Parse(ident.Affiliate, w.affiliates[l.affiliate])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		f.links = append(f.links, fillLink{link, affiliate})
	}
	agents, err := agent.New(0)
	if err != nil {
		return nil, fmt.Errorf("load user agents: %w", err)
	}
	for i := range v.people {
		f.people = append(f.people, recordOf(&v.people[i], agents))
	}
	return f, nil
}

// recordOf is what a tracker records of a visitor's headers.
func recordOf(p *visitor, agents *agent.Classifier) click.Record {
	var r click.Record
	class := agents.Classify(p.agent)
	r.Browser, r.OS, r.Device = class.Browser, class.OS, class.Device
	switch {
	case p.agent == "":
		r.Bot = click.BotNoAgent
	case class.Crawler:
		r.Bot = click.BotCrawler
	}
	if u, err := url.Parse(p.referrer); err == nil {
		r.ReferrerHost, r.ReferrerPath = strings.ToLower(u.Hostname()), u.EscapedPath()
	}
	return r
}

// fill writes clicks number first to last-1, in order of time but for the batches that are under way together.
func (f *filler) fill(ctx context.Context, first, last uint64, out io.Writer) error {
	progress := meter.New(out, "fill the click store", int(last-first))
	done := make(chan int)
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		for n := range done {
			progress.Add(n)
		}
	}()
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fillers)
	for n := first; n < last && groupCtx.Err() == nil; n += fillBatch {
		end := min(n+fillBatch, last)
		group.Go(func() error {
			if err := f.batch(groupCtx, n, end); err != nil {
				return err
			}
			done <- int(end - n)
			return nil
		})
	}
	err := group.Wait()
	close(done)
	<-counted
	if err != nil {
		return fmt.Errorf("fill the click store: %w", err)
	}
	return ctx.Err()
}

func (f *filler) batch(ctx context.Context, first, last uint64) error {
	var body, record []byte
	bots := int64(0)
	for n := first; n < last; n++ {
		r := f.record(n)
		if r.Bot != click.NotBot {
			bots++
		}
		record = r.Append(record[:0])
		body = binary.AppendUvarint(body, uint64(len(record)))
		body = append(body, record...)
	}
	id := fmt.Sprintf("load-%s-%d", f.world.run, first)
	for attempt := 1; ; attempt++ {
		err := f.send(ctx, id, body)
		if err == nil {
			f.bots.Add(bots)
			return nil
		}
		if attempt == fillAttempts || ctx.Err() != nil {
			return err
		}
		f.again.Add(1)
		if err := pause(ctx, time.Duration(attempt)*100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (f *filler) send(ctx context.Context, id string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Batch-Id", id)
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err == nil && resp.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("POST %s: %s %s", f.url, resp.Status, answer)
	}
	return err
}

// record is click n. It is drawn as the request of the same number would be.
func (f *filler) record(n uint64) click.Record {
	v := f.visitors
	who := draw(n, drawVisitor) % uint64(len(v.people))
	r := f.people[who]
	if r.Bot == click.NotBot && isHead(n) {
		r.Bot = click.BotHead
	}
	l := f.links[f.world.link(draw(n, drawLink))]
	at := f.from.Add(time.Duration(float64(f.span) * float64(n) / float64(f.rows)))
	r.ID = f.keys.Mint(at, 1, l.link, l.affiliate)
	r.ProgramID = f.program
	params, place, addr := draw(n, drawParams), draw(n, drawCountry), draw(n, drawAddr)
	r.Sub[0] = v.subs[params%uint64(len(v.subs))]
	if params>>8%4 == 0 {
		r.UTMSource = v.sources[params>>16%uint64(len(v.sources))]
		r.UTMCampaign = v.campaigns[params>>24%uint64(len(v.campaigns))]
	}
	r.Country = v.countries[place%uint64(len(v.countries))]
	r.Language, _, _ = strings.Cut(v.languages[place>>8%uint64(len(v.languages))], "-")
	r.Network = string(click.AppendNetwork(nil, address(addr)))
	// A visitor is new each day, as with the salts of trackers.
	r.Visitor = draw(addr>>8<<9|who, uint64(at.Unix()/86400))
	return r
}

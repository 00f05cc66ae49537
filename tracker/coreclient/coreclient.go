// Package coreclient is the core as a tracker on another machine sees it: link look-ups, the change feed, conversions
// to book and clicks to keep, over HTTP.
package coreclient

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/node"
)

// Limits of the edge API, the same as the core's.
const (
	MaxEvents      = 1000     // conversions in one request
	MaxEventsBody  = 1 << 20  // bytes
	MaxClicksBody  = 32 << 20 // bytes
	maxLookupBody  = 1 << 20  // bytes of an answer to a look-up
	maxChangesBody = 64 << 20 // bytes of a page of the feed
	maxResultsBody = 4 << 20  // bytes of the results of MaxEvents conversions
	maxProblemBody = 64 << 10 // bytes
	maxBatchID     = 128      // bytes
	maxWait        = 30 * time.Second
)

// ErrTooLarge says that a request would exceed a limit of the edge API; nothing was sent, and sending it again as it is
// does not help.
var ErrTooLarge error = tooLarge("too large for one request")

// Options of a Client. Zero durations and numbers stand for the defaults.
type Options struct {
	URL   string // base URL of the core, as "https://core.internal:8443"
	Token string // edge token

	ConnectTimeout time.Duration // for one connection, TLS included; 3 s
	// RequestTimeout is for one request that books conversions or keeps clicks. Look-ups are limited by their caller's
	// context, and by this; the feed may take its wait longer. 30 s
	RequestTimeout time.Duration
	MaxConnections int // to the core, of all kinds; further requests wait; 128
}

// Client talks to one core. All methods may be called concurrently. Each makes one attempt: whoever calls decides
// whether and when to try again.
type Client struct {
	base    string // without a slash at its end
	token   string
	timeout time.Duration
	http    *http.Client
}

// New checks the options; its errors name the setting at fault.
func New(opts Options) (*Client, error) {
	base, err := parseBase(opts.URL)
	if err != nil {
		return nil, err
	}
	if opts.Token == "" {
		return nil, errors.New("coreclient: Token is missing; set it to the core's edge token")
	}
	if strings.ContainsFunc(opts.Token, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || r == 0x7f }) {
		return nil, errors.New("coreclient: Token has a character that cannot be sent in a header, perhaps a line break at its end")
	}
	if opts.ConnectTimeout < 0 || opts.RequestTimeout < 0 || opts.MaxConnections < 0 {
		return nil, errors.New("coreclient: ConnectTimeout, RequestTimeout and MaxConnections must not be negative")
	}
	connect := orDefault(opts.ConnectTimeout, 3*time.Second)
	connections := orDefault(opts.MaxConnections, 128)
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connect, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    connect,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        connections,
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// Limits count what is read, not what it would unpack to.
		DisableCompression: true,
		// A connection that died without a word must not take request after request with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
	return &Client{
		base: base, token: opts.Token, timeout: orDefault(opts.RequestTimeout, 30*time.Second),
		http: &http.Client{
			Transport: transport,
			// The token must not follow a redirect to somewhere else, and the core has no reason to redirect.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func parseBase(text string) (string, error) {
	if text == "" {
		return "", errors.New("coreclient: URL is missing; set it to the core's base URL, as https://core.example:8443")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// url.Error repeats the text, which may hold a password.
		return "", errors.New("coreclient: URL is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("coreclient: URL must begin with http:// or https://")
	case u.Hostname() == "":
		return "", errors.New("coreclient: URL has no host")
	case u.User != nil:
		return "", errors.New("coreclient: URL must not hold a user or password; use Token")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("coreclient: URL must not have a query or a fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Lookup asks for one link. The error is link.ErrNotFound if the core says that there is no such link, or that there
// can be none of that name.
func (c *Client) Lookup(ctx context.Context, slug string) (link.Resolved, error) {
	if !possible(slug) {
		return link.Resolved{}, link.ErrNotFound
	}
	var res link.Resolved
	err := c.do(ctx, request{
		what: "look up link", method: http.MethodGet, path: "/links/" + url.PathEscape(slug), timeout: c.timeout,
		answer: &res, limit: maxLookupBody,
	})
	var problem *Problem
	if errors.As(err, &problem) {
		switch problem.Status {
		case http.StatusNotFound:
			if problem.Code == "link_not_found" {
				return link.Resolved{}, link.ErrNotFound
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			// Visitors choose what is looked up: what the core finds malformed must not pass for a core that fails.
			if problem.Code != "" {
				return link.Resolved{}, link.ErrNotFound
			}
		}
	}
	if err != nil {
		return link.Resolved{}, err
	}
	return res, nil
}

// possible reports whether slug can be one path segment that everything between here and the core leaves as it is.
func possible(slug string) bool {
	return slug != "" && slug != "." && slug != ".." && len(slug) <= link.MaxSlug &&
		!strings.ContainsFunc(slug, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("/\\?#%", r) })
}

// Changes asks for what changed after the cursor, and waits at the core for up to wait if there is nothing.
func (c *Client) Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error) {
	wait = min(max(wait, 0), maxWait)
	var page link.Page
	err := c.do(ctx, request{
		what: "ask for link changes", method: http.MethodGet, path: "/changes",
		query: url.Values{
			"feed": {feed}, "cursor": {strconv.FormatInt(cursor, 10)}, "wait_ms": {strconv.FormatInt(wait.Milliseconds(), 10)},
		},
		timeout: c.timeout + wait, answer: &page, limit: maxChangesBody,
	})
	return page, err
}

// Book books conversions and returns their outcomes in the same order. An error says that nothing is known about any of
// them. The error wraps ErrTooLarge if events exceed MaxEvents or MaxEventsBody.
func (c *Client) Book(ctx context.Context, events []conversion.Event) ([]conversion.Result, error) {
	if len(events) == 0 {
		return nil, nil
	}
	if len(events) > MaxEvents {
		return nil, fmt.Errorf("book %d conversions: %w", len(events), ErrTooLarge)
	}
	body, err := json.Marshal(map[string][]conversion.Event{"events": events})
	if err != nil {
		return nil, fmt.Errorf("book conversions: %w", err)
	}
	if len(body) > MaxEventsBody {
		return nil, fmt.Errorf("book conversions of %d bytes: %w", len(body), ErrTooLarge)
	}
	var answer struct {
		Results []conversion.Result `json:"results"`
	}
	err = c.do(ctx, request{
		what: "book conversions", method: http.MethodPost, path: "/conversions", timeout: c.timeout,
		contentType: "application/json", body: body, answer: &answer, limit: maxResultsBody,
	})
	if err != nil {
		return nil, err
	}
	if len(answer.Results) != len(events) {
		return nil, fmt.Errorf("book conversions: %d results for %d conversions", len(answer.Results), len(events))
	}
	for i := range answer.Results {
		switch o := answer.Results[i].Outcome; o {
		case conversion.Booked, conversion.Duplicate, conversion.Conflict, conversion.Refused:
		default:
			return nil, fmt.Errorf("book conversions: the outcome %.32q of conversion %d is unknown here; update this tracker", o, i)
		}
	}
	return answer.Results, nil
}

// AppendClicks hands a batch of clicks to the core, which keeps it once however often it comes with this id. Nothing of
// clicks is kept after the return. The error wraps ErrTooLarge if they exceed MaxClicksBody.
func (c *Client) AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error {
	if batchID == "" || len(batchID) > maxBatchID || strings.ContainsFunc(batchID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("send clicks: batch id must be 1 to %d visible ASCII characters", maxBatchID)
	}
	if len(clicks) == 0 {
		return nil
	}
	body, err := appendClicks(make([]byte, 0, 256*len(clicks)), clicks)
	if err != nil {
		return fmt.Errorf("send %d clicks: %w", len(clicks), err)
	}
	return c.do(ctx, request{
		what: "send clicks", method: http.MethodPost, path: "/clicks", timeout: c.timeout,
		contentType: "application/octet-stream", batchID: batchID, body: body,
	})
}

// Report tells the core how this node is.
func (c *Client) Report(ctx context.Context, s node.Status) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("report status: %w", err)
	}
	return c.do(ctx, request{
		what: "report status", method: http.MethodPost, path: "/status", timeout: c.timeout, contentType: "application/json", body: body,
	})
}

// appendClicks appends each record as uvarint length and encoding.
func appendClicks(dst []byte, clicks []click.Record) ([]byte, error) {
	var one []byte
	for i := range clicks {
		one = clicks[i].Append(one[:0])
		dst = binary.AppendUvarint(dst, uint64(len(one)))
		dst = append(dst, one...)
		if len(dst) > MaxClicksBody {
			return dst, ErrTooLarge
		}
	}
	return dst, nil
}

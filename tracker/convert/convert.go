// Package convert takes conversions at the edge: postbacks from servers, and leads and sales from pages through an
// image or a script. What it takes is authenticated, valid and durable before it is acknowledged; everything else is
// refused with a code that says what is wrong.
package convert

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// directory knows links and programs, active or not. It answers from memory and is safe for concurrent use.
type directory interface {
	// ByID returns a link with its program, or false if it is not known.
	ByID(id int64) (link.Resolved, bool)
	// Program returns a program, or false if it is not known.
	Program(id int64) (link.Program, bool)
	// Fresh reports whether everything is known that there is: then what is not known does not exist.
	Fresh() bool
}

// recorder keeps conversions. It is safe for concurrent use.
type recorder interface {
	// Append returns nil once the record is durable: it survives power loss. It does not keep record.
	Append(record []byte) error
}

// MaxBody is the largest body of a postback, in bytes.
const MaxBody = 64 << 10

// Outcome is how a request was answered, for a metric's label.
type Outcome string

// Outcomes.
const (
	Accepted Outcome = "conversion_accepted"
	Refused  Outcome = "conversion_refused"
	Script   Outcome = "script"
)

// Options of New.
type Options struct {
	Directory  directory
	Recorder   recorder
	Keys       *click.Keyring
	Now        func() time.Time
	Registerer prometheus.Registerer
	Node       uint16
	// CookieName is the name of the cookie that holds the Click ID.
	CookieName string
}

// Handler takes conversions. It is safe for concurrent use.
type Handler struct {
	Options
	accepted *prometheus.CounterVec // by channel
	refused  *prometheus.CounterVec // by channel and reason
	etag     string
	standIn  []string
}

// New returns a handler.
func New(o Options) (*Handler, error) {
	h := &Handler{
		Options: o,
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_tracker_conversions_accepted_total", Help: "Conversions recorded and acknowledged, by channel.",
		}, []string{"channel"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_tracker_conversions_refused_total", Help: "Conversions refused, by channel and reason (the code of the answer).",
		}, []string{"channel", "reason"}),
		etag:    etagOf(script),
		standIn: []string{"stand-in for the secret of a program that does not exist", ""},
	}
	for _, c := range []prometheus.Collector{h.accepted, h.refused} {
		if err := o.Registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register conversion metrics: %w", err)
		}
	}
	for _, channel := range []conversion.Channel{conversion.Postback, conversion.Pixel, conversion.Script} {
		h.accepted.WithLabelValues(string(channel)) // so that it is there, and 0, from the start
	}
	return h, nil
}

// Postback answers a server-to-server call: GET or POST with the parameters in the query, a form or a JSON object.
// docs/postback.md describes it for integrators.
func (h *Handler) Postback(req *fasthttp.RequestCtx) Outcome {
	refused := h.postback(req)
	if refused != nil {
		return h.refuse(req, conversion.Postback, refused)
	}
	h.accepted.WithLabelValues(string(conversion.Postback)).Inc()
	req.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	req.SetContentType("application/json")
	req.SetBodyString(`{"status":"accepted"}`)
	return Accepted
}

func (h *Handler) refuse(req *fasthttp.RequestCtx, channel conversion.Channel, r *refusal) Outcome {
	h.refused.WithLabelValues(string(channel), r.Code).Inc()
	r.Write(req)
	return Refused
}

func (h *Handler) postback(req *fasthttp.RequestCtx) *refusal {
	if !req.IsGet() && !req.IsPost() {
		r := refuse(fasthttp.StatusMethodNotAllowed, codeMethod, "A postback is GET or POST.")
		r.Allow = "GET, POST"
		return r
	}
	now := h.Now()
	p, refused := readParams(req)
	if refused != nil {
		return refused
	}
	r := &reader{params: p}
	credential, refused := credentialOf(&req.Request.Header, r, now)
	if refused != nil {
		return refused
	}
	id, program, refused := h.authenticate(r, credential)
	if refused != nil {
		return refused
	}
	e, refused := eventOf(r, &program)
	if refused != nil {
		return refused
	}
	e.ClickID, e.Channel = id, conversion.Postback
	return h.record(&e, now)
}

// authenticate finds the program that a postback is for and checks that its secret was used. The program is that of
// the Click ID's link; without a Click ID it is named. Nothing that is answered here before the secret is checked
// depends on which programs there are.
func (h *Handler) authenticate(r *reader, c credential) (click.ID, link.Program, *refusal) {
	clickText, programText := r.get(fieldClickID()), r.get(fieldProgram())
	if r.err != nil {
		return click.ID{}, link.Program{}, r.err
	}
	id, refused := h.readClickID(clickText)
	if refused != nil {
		return id, link.Program{}, refused
	}
	var named int64
	if programText != "" {
		var err error
		if named, err = ident.Parse(ident.Program, programText); err != nil {
			return id, link.Program{}, bad(codeProgramMalformed, "program must be the program's id, as %s.", ident.Format(ident.Program, 1))
		}
	}
	if id.IsZero() && named == 0 {
		return id, link.Program{}, bad(codeProgramMissing, "Send the Click ID, or name the program.")
	}
	program, known := h.programOf(id, named)
	switch {
	case !known && (!id.IsZero() || !h.Directory.Fresh()):
		// It may well exist: the link of a genuine Click ID certainly does.
		return id, program, later(codeProgramUnavailable, "The program cannot be looked up at the moment. Send the conversion again.")
	case !known:
		c.proves(h.standIn)
		return id, program, c.denied()
	case !c.proves(program.PostbackSecrets):
		return id, program, c.denied()
	case named != 0 && named != program.ID:
		return id, program, bad(codeProgramMismatch, "The Click ID belongs to another program than the one named.")
	}
	return id, program, nil
}

func (h *Handler) programOf(id click.ID, named int64) (link.Program, bool) {
	if id.IsZero() {
		return h.Directory.Program(named)
	}
	r, known := h.Directory.ByID(id.LinkID())
	return r.Program, known
}

// record makes the conversion durable. Only then may it be acknowledged.
func (h *Handler) record(e *conversion.Event, now time.Time) *refusal {
	e.ReceivedAt, e.Node = now.UnixMilli(), h.Node
	b, err := e.Append(nil)
	if err == nil {
		err = h.Recorder.Append(b)
	}
	if err != nil {
		return later(codeNotRecorded, "The conversion could not be recorded. Send it again.")
	}
	return nil
}

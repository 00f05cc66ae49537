package convert

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// maxParams bounds the parameters of one request.
const maxParams = 100

// param is one parameter as sent, decoded.
type param struct{ name, value string }

// params are all parameters of a request, from its query and its body.
type params []param

// field is what a parameter means, with the names it may have.
type field []string

func (f field) String() string { return f[0] }

func fieldClickID() field  { return field{"click_id", "cid", "clickid", "subid"} }
func fieldTxid() field     { return field{"txid", "transaction_id", "order_id"} }
func fieldRefTxid() field  { return field{"ref_txid", "sale_txid", "ref_transaction_id"} }
func fieldAmount() field   { return field{"amount"} }
func fieldCurrency() field { return field{"currency"} }
func fieldStatus() field   { return field{"status"} }
func fieldEvent() field    { return field{"event"} }
func fieldCustomer() field { return field{"customer", "customer_id", "customer_email"} }
func fieldCoupon() field   { return field{"coupon", "coupon_code"} }
func fieldProgram() field  { return field{"program"} }
func fieldSecret() field   { return field{"secret"} }
func fieldTime() field     { return field{"ts"} }
func fieldSig() field      { return field{"sig"} }
func fieldVia() field      { return field{"via"} }

// reader reads fields and keeps the first refusal, so that callers need not check after each.
type reader struct {
	params params
	err    *refusal
}

// get returns the value of a field under whichever of its names; "" where it is absent or empty. A field that is given
// twice with different values is refused: guessing which one was meant books the wrong thing.
func (r *reader) get(f field) string {
	value := ""
	for _, p := range r.params {
		if p.value == "" || !slices.Contains(f, p.name) {
			continue
		}
		if value != "" && value != p.value && r.err == nil {
			r.err = bad(codeParameterRepeated, "%s is given more than once, with different values (its names are %s).", f, strings.Join(f, ", "))
		}
		value = p.value
	}
	return value
}

// readParams reads query and body.
func readParams(req *fasthttp.RequestCtx) (params, *refusal) {
	p, err := parseForm(nil, string(req.URI().QueryString()))
	if err != nil {
		return nil, err
	}
	body := req.Request.Body()
	if !req.IsPost() || len(body) == 0 {
		return p, nil
	}
	kind, _, mimeErr := mime.ParseMediaType(string(req.Request.Header.ContentType()))
	switch {
	case mimeErr == nil && kind == "application/x-www-form-urlencoded":
		return parseForm(p, string(body))
	case mimeErr == nil && kind == "application/json":
		return parseJSON(p, body)
	}
	return nil, refuse(fasthttp.StatusUnsupportedMediaType, codeContentType, "Send application/x-www-form-urlencoded or application/json.")
}

func (p params) add(name, value string) (params, *refusal) {
	if len(p) == maxParams {
		return nil, bad(codeParametersTooMany, "There are more than %d parameters.", maxParams)
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) {
		return nil, bad(codeParameterMalformed, "A parameter is not UTF-8.")
	}
	return append(p, param{name, value}), nil
}

func parseForm(p params, s string) (params, *refusal) {
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return nil, bad(codeParameterMalformed, "A parameter's name is not validly percent-encoded.")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, bad(codeParameterMalformed, "The value of %.32q is not validly percent-encoded.", name)
		}
		var refused *refusal
		if p, refused = p.add(name, value); refused != nil {
			return nil, refused
		}
	}
	return p, nil
}

// parseJSON reads one flat object. Numbers keep the text they were sent as: an amount must not pass through a float.
func parseJSON(p params, body []byte) (params, *refusal) {
	malformed := bad(codeBodyMalformed, "The body is not a JSON object of strings, numbers, booleans and nulls.")
	if !utf8.Valid(body) {
		return nil, malformed
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, malformed
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, malformed
		}
		token, err := dec.Token()
		if err != nil {
			return nil, malformed
		}
		value, ok := scalar(token)
		if !ok {
			return nil, malformed
		}
		var refused *refusal
		if p, refused = p.add(name.(string), value); refused != nil { // the decoder makes sure that names are strings
			return nil, refused
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformed
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, malformed
	}
	return p, nil
}

func scalar(token json.Token) (string, bool) {
	switch v := token.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case nil:
		return "", true
	}
	return "", false
}

package coreclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode"
)

// Problem is an answer of the core other than success.
type Problem struct {
	Status int    // HTTP status
	Code   string // stable word for programs, as "link_not_found"; "" if the answer was not a problem document
	Detail string // for people
}

// Error names status, code and detail.
func (p *Problem) Error() string {
	text := fmt.Sprintf("core answered %d", p.Status)
	if p.Code != "" {
		text += " " + p.Code
	}
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	switch {
	case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden:
		text += " (check that the edge token is the core's)"
	case p.Code == "" && (p.Status < 400 || p.Status == http.StatusNotFound):
		text += " (check that the core URL is that of a core)"
	}
	return text
}

// Permanent reports whether the core refused the content of the request, so that the same can never succeed. Everything
// else may be about the core, the token or what lies between, and passes.
func (p *Problem) Permanent() bool {
	switch p.Status {
	case http.StatusRequestEntityTooLarge:
		return p.Code != ""
	case http.StatusUnprocessableEntity:
		return p.Code == "batch_refused"
	}
	return false
}

// tooLarge is the type of ErrTooLarge.
type tooLarge string

func (e tooLarge) Error() string { return string(e) }

// Permanent is true: smaller batches help, another attempt does not.
func (e tooLarge) Permanent() bool { return true }

// readProblem makes an error of any answer that is not the expected one. Detail is cut and freed of control characters,
// because it goes into logs.
func readProblem(res *http.Response) error {
	p := &Problem{Status: res.StatusCode}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if media != "application/problem+json" {
		return p
	}
	body, err := readLimited(res.Body, maxProblemBody)
	if err != nil {
		return errors.Join(p, err)
	}
	var document struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return errors.Join(p, fmt.Errorf("decode problem: %w", err))
	}
	if document.Detail == "" {
		document.Detail = document.Title
	}
	p.Code, p.Detail = clean(document.Code, 64), clean(document.Detail, 512)
	return p
}

func clean(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
}

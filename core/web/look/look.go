// Package look is what all of our pages share: colours, type, shapes and the parts that every page has, as one stylesheet
// under a name that changes with its content.
package look

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
)

// DefaultAccent is the accent colour of tokens.css in light.
const DefaultAccent = "#1f4fd8"

//go:embed tokens.css
var tokens string

//go:embed base.css
var base string

// Sheet is a finished stylesheet.
type Sheet struct {
	Name string // with a hash of Body, so that it may be kept for ever
	Body []byte
}

// NewSheet joins what is shared with the rules of some pages. accent is "" or a colour as #rrggbb, on which white is
// readable.
func NewSheet(name, accent, own string) Sheet {
	body := tokens + accented(accent) + base + own
	sum := sha256.Sum256([]byte(body))
	return Sheet{Name: name + "-" + hex.EncodeToString(sum[:6]) + ".css", Body: []byte(body)}
}

// accented are the rules for another accent than the default. In the dark it is lightened until text in it is readable.
func accented(colour string) string {
	if colour == "" || colour == DefaultAccent || len(colour) != 7 || colour[0] != '#' || strings.Trim(colour[1:], "0123456789abcdefABCDEF") != "" {
		return ""
	}
	dark := func(value string) string {
		return "@media (prefers-color-scheme: dark) { :root { --accent: " + value + "; } }"
	}
	return ":root { --accent: " + colour + "; }\n" + dark("color-mix(in srgb, "+colour+" 45%, #dfe8ff)") +
		"\n@supports (color: oklch(from red l c h)) { " + dark("oklch(from "+colour+" .78 c h)") + " }\n"
}

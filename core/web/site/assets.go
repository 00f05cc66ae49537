package site

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
)

//go:embed style.css
var styles string

//go:embed icon.svg
var iconSVG string

//go:embed pay.js
var payScript string

// file is something that never changes under its name.
type file struct {
	kind string
	body []byte
}

// payScriptName is the script that sends the form to the payment provider on by itself.
func payScriptName() string {
	sum := sha256.Sum256([]byte(payScript))
	return "pay-" + hex.EncodeToString(sum[:6]) + ".js"
}

func staticFiles() map[string]file {
	return map[string]file{
		"icon.svg":      {"image/svg+xml", []byte(iconSVG)},
		payScriptName(): {"text/javascript; charset=utf-8", []byte(payScript)},
	}
}

func (s *Site) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	f, ok := s.files[name]
	keep := forEver
	if name == "icon.svg" {
		keep = forADay
	}
	if !ok {
		d, err := s.now(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		// A page that is still kept somewhere may name an older sheet: the one of now fits better than none.
		if !strings.HasPrefix(name, "site-") || !strings.HasSuffix(name, ".css") {
			s.notFound(w, r)
			return
		}
		f = file{"text/css; charset=utf-8", d.sheet.Body}
		if name != d.sheet.Name {
			keep = forAll
		}
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", keep)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	s.send(w, r, http.StatusOK, f.body)
}

// icon is for browsers that look for one without reading the page.
func (s *Site) icon(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", forADay)
	http.Redirect(w, r, "/assets/icon.svg", http.StatusMovedPermanently)
}

// art draws a picture for what has none: always the same for one name.
func (s *Site) art(w http.ResponseWriter, r *http.Request) {
	slug, ok := strings.CutSuffix(r.PathValue("slug"), ".svg")
	if !ok || len(slug) > 96 {
		s.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", forADay)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	s.send(w, r, http.StatusOK, []byte(draw(slug)))
}

// palettes are pairs of colours that white reads well on.
func palettes() [][2]string {
	return [][2]string{
		{"#1f4fd8", "#0f9d8f"}, {"#3b2fb8", "#1f7fd8"}, {"#0b6b6b", "#1f4fd8"}, {"#5a2bb5", "#b8327a"}, {"#0f3d91", "#5a4fe0"}, {"#0b6b45", "#1593a8"},
		{"#8a3b12", "#c7762b"}, {"#1b2a5c", "#2f6fd0"},
	}
}

func hashOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

func paletteOf(name string) [2]string {
	all := palettes()
	return all[hashOf(name)%uint64(len(all))]
}

// draw makes an abstract picture of 800 by 500: rising bars, arcs or steps over a gradient, by a hash of the name.
func draw(name string) string {
	bits := hashOf(name)
	next := func(n uint64) int {
		bits ^= bits << 13
		bits ^= bits >> 7
		bits ^= bits << 17
		return int(bits % n)
	}
	p := paletteOf(name)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 500" preserveAspectRatio="xMidYMid slice"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">`+
		`<stop stop-color="%s"/><stop offset="1" stop-color="%s"/></linearGradient></defs><rect width="800" height="500" fill="url(#g)"/>`, p[0], p[1])
	fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="%d" fill="#fff" opacity=".08"/><circle cx="%d" cy="%d" r="%d" fill="#fff" opacity=".07"/>`,
		80+next(640), 40+next(160), 120+next(160), 80+next(640), 300+next(160), 90+next(140))
	switch next(3) {
	case 0: // bars that rise, with a line over them
		points := ""
		for i := range 7 {
			height := 60 + i*38 + next(50)
			x := 110 + i*86
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="52" height="%d" rx="12" fill="#fff" opacity=".%d"/>`, x, 430-height, height, 16+i*6)
			points += fmt.Sprintf("%d,%d ", x+26, 405-height)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#fff" stroke-width="8" stroke-linecap="round" stroke-linejoin="round" opacity=".92"/>`, points)
	case 1: // arcs round a centre, and what goes round on them
		x, y := 400, 250
		for i := range 4 {
			r := 60 + i*52
			fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="%d" fill="none" stroke="#fff" stroke-width="%d" stroke-dasharray="%d %d" transform="rotate(%d %d %d)" opacity=".%d"/>`,
				x, y, r, 16-i*2, 120+next(300), 60+next(200), next(360), x, y, 85-i*18)
		}
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="26" fill="#fff"/>`, x, y)
	default: // cards that lie on each other
		for i := range 4 {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="360" height="230" rx="26" fill="#fff" opacity=".%d" transform="rotate(%d 400 250)"/>`,
				150+i*48, 190-i*32, 10+i*9, -10+i*5+next(3))
		}
		b.WriteString(`<g fill="#fff"><rect x="350" y="150" width="190" height="18" rx="9" opacity=".95"/><rect x="350" y="186" width="130" height="14" rx="7" opacity=".7"/><circle cx="560" cy="262" r="26" opacity=".95"/></g>`)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

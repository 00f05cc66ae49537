package site

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/edgeref/edgeref/core/shop"
)

// Pictures for links in messengers, which take no SVG: the name on a gradient, in the size that they ask for.
const (
	previewWidth, previewHeight = 1200, 630
	previewMargin               = 90
	maxPreviews                 = 64 // kept in memory, about 40 KiB each
	maxLines                    = 4
)

// painter draws previews, one at a time, and keeps them.
type painter struct {
	font *sfnt.Font

	mu   sync.Mutex
	kept map[string][]byte
}

func newPainter() (*painter, error) {
	f, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("read font of previews: %w", err)
	}
	return &painter{font: f, kept: map[string][]byte{}}, nil
}

// preview is a PNG. Text in letters that the font has not is left out.
func (p *painter) preview(brand, title string) ([]byte, error) {
	key := brand + "\x00" + title
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.kept[key]; ok {
		return b, nil
	}
	picture, err := p.paint(brand, title)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("encode preview: %w", err)
	}
	if len(p.kept) >= maxPreviews {
		clear(p.kept)
	}
	p.kept[key] = b.Bytes()
	return b.Bytes(), nil
}

func (p *painter) paint(brand, title string) (image.Image, error) {
	picture := image.NewNRGBA(image.Rect(0, 0, previewWidth, previewHeight))
	from, to := rgb(paletteOf(title)[0]), rgb(paletteOf(title)[1])
	for y := range previewHeight {
		for x := range previewWidth {
			part := (x*previewHeight + y*previewWidth) * 255 / (2 * previewWidth * previewHeight)
			picture.SetNRGBA(x, y, color.NRGBA{mix(from.R, to.R, part), mix(from.G, to.G, part), mix(from.B, to.B, part), 255})
		}
	}
	if p.knows(brand) {
		small, err := p.face(40)
		if err != nil {
			return nil, err
		}
		write(picture, small, previewMargin, previewHeight-previewMargin, clipped(small, brand))
	}
	if !p.knows(title) {
		return picture, nil
	}
	for size := 84.0; size >= 44; size -= 8 {
		large, err := p.face(size)
		if err != nil {
			return nil, err
		}
		lines := wrap(large, title)
		if len(lines) > maxLines || float64(len(lines))*size*1.2 > 380 && size > 44 {
			continue
		}
		for i, line := range lines {
			write(picture, large, previewMargin, previewMargin+int(size*0.9)+int(float64(i)*size*1.2), line)
		}
		break
	}
	return picture, nil
}

func (p *painter) face(size float64) (font.Face, error) {
	f, err := opentype.NewFace(p.font, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("size font of previews: %w", err)
	}
	return f, nil
}

// knows reports whether the font has all letters of a text.
func (p *painter) knows(text string) bool {
	var b sfnt.Buffer
	for _, r := range text {
		if i, err := p.font.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return text != ""
}

const textWidth = previewWidth - 2*previewMargin

// wrap breaks a text between its words.
func wrap(face font.Face, text string) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && font.MeasureString(face, longer).Ceil() > textWidth {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if lines = append(lines, line); font.MeasureString(face, line).Ceil() > textWidth {
		lines[len(lines)-1] = clipped(face, line)
	}
	return lines
}

// clipped cuts a text to the width of the picture.
func clipped(face font.Face, text string) string {
	letters := []rune(text)
	for len(letters) > 0 && font.MeasureString(face, string(letters)).Ceil() > textWidth {
		letters = letters[:len(letters)-1]
	}
	return string(letters)
}

func write(into *image.NRGBA, face font.Face, x, y int, text string) {
	d := font.Drawer{Dst: into, Src: image.White, Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

func mix(a, b uint8, part int) uint8 { return uint8((int(a)*(255-part) + int(b)*part) / 255) }

// rgb reads a colour as #rrggbb.
func rgb(text string) color.NRGBA {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil {
		panic("BUG: colour " + text)
	}
	return color.NRGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}
}

// previewOf is the path of the preview of a page.
func previewOf(slug string) string {
	if slug == "" {
		return "/assets/preview.png"
	}
	return "/assets/preview/" + slug + ".png"
}

func (s *Site) showPreview(w http.ResponseWriter, r *http.Request) {
	if !s.look(w, r) {
		return
	}
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	title := d.content.Headline
	if name := r.PathValue("slug"); name != "" {
		slug, ok := strings.CutSuffix(name, ".png")
		it, err := s.sold(r.Context(), slug)
		if !ok || errors.Is(err, shop.ErrNotFound) {
			s.notFound(w, r)
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		title = it.Name
	}
	b, err := s.painter.preview(d.content.Name, title)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", forADay)
	s.send(w, r, http.StatusOK, b)
}

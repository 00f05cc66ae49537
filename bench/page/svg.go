package page

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Size of a plot in its own units; the page scales it.
const (
	width, height            = 520.0, 240.0
	left, right, top, bottom = 58.0, 12.0, 10.0, 34.0
	ticks                    = 5
	// least is the smallest value on a logarithmic axis and the smallest span of the other: far below anything measured,
	// and above where floating point loses its digits.
	least = 1e-9
)

// axis maps values to positions.
type axis struct {
	min, max float64
	from, to float64
	log      bool
}

func (a axis) at(v float64) float64 {
	lo, hi := a.min, a.max
	if a.log {
		v, lo, hi = math.Log10(v), math.Log10(lo), math.Log10(hi)
	}
	if hi == lo {
		return a.from
	}
	return a.from + (v-lo)/(hi-lo)*(a.to-a.from)
}

// marks are the values that get a label: decades on a logarithmic axis, else round steps.
func (a axis) marks() []float64 {
	var m []float64
	if a.log {
		for v := a.min; v <= a.max*1.0001; v *= 10 {
			m = append(m, v)
		}
		return m
	}
	step := niceStep((a.max - a.min) / ticks)
	for v := math.Ceil(a.min/step) * step; v <= a.max+step/1e6; v += step {
		m = append(m, v)
	}
	return m
}

// niceStep is the next of 1, 2, 5 times a power of ten.
func niceStep(raw float64) float64 {
	if raw <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 5} {
		if raw <= f*power {
			return f * power
		}
	}
	return 10 * power
}

// svg draws p. Everything in it is a number or escaped text.
func svg(p Plot) template.HTML {
	x, y, any := scales(p)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, template.HTMLEscapeString(p.Title))
	if !any {
		fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="middle">no data</text></svg>`, width/2, height/2)
		return template.HTML(b.String())
	}
	for _, v := range y.marks() {
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`,
			left, width-right, y.at(v), y.at(v), left-6, y.at(v)+4, label(v))
	}
	for _, v := range x.marks() {
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x.at(v), height-bottom+15, label(v))
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="middle">%s</text>`, (left+width-right)/2, height-4, template.HTMLEscapeString(p.XLabel))
	fmt.Fprintf(&b, `<text transform="translate(11 %g) rotate(-90)" text-anchor="middle">%s</text>`, (top+height-bottom)/2, template.HTMLEscapeString(p.YLabel))
	for i, s := range p.Series {
		fmt.Fprintf(&b, `<path class="line c%d" d="`, i%6)
		command := "M"
		for _, pt := range s.Points {
			if p.LogY && pt.Y < least {
				continue
			}
			fmt.Fprintf(&b, "%s%.1f %.1f", command, x.at(pt.X), y.at(pt.Y))
			command = "L"
		}
		b.WriteString(`"/>`)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func scales(p Plot) (x, y axis, any bool) {
	x = axis{min: math.Inf(1), max: math.Inf(-1), from: left, to: width - right}
	y = axis{min: math.Inf(1), max: math.Inf(-1), from: height - bottom, to: top, log: p.LogY}
	for _, s := range p.Series {
		for _, pt := range s.Points {
			if p.LogY && pt.Y < least {
				continue
			}
			any = true
			x.min, x.max = min(x.min, pt.X), max(x.max, pt.X)
			y.min, y.max = min(y.min, pt.Y), max(y.max, pt.Y)
		}
	}
	if !any {
		return x, y, false
	}
	if p.LogY {
		y.min, y.max = math.Pow(10, math.Floor(math.Log10(y.min))), math.Pow(10, math.Ceil(math.Log10(y.max)))
		if y.min == y.max {
			y.max *= 10
		}
		return x, y, true
	}
	y.min = min(0, y.min)
	if y.max-y.min < least {
		y.max = y.min + 1
	}
	step := niceStep((y.max - y.min) / ticks)
	y.max = math.Ceil(y.max/step) * step
	return x, y, true
}

func label(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e9:
		return trim(v/1e9) + "G"
	case a >= 1e6:
		return trim(v/1e6) + "M"
	case a >= 1e4:
		return trim(v/1e3) + "k"
	default:
		return trim(v)
	}
}

func trim(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

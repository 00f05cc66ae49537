package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"

	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/site"
)

const accent = "#0b6b53"

// picture draws overlapping discs on a slope of two colours. palette is a number of choice.
func picture(width, height, palette int) ([]byte, error) {
	r := rand.New(rand.NewPCG(seed, uint64(palette)))
	hue := math.Mod(float64(palette)*0.381966, 1)
	from, to := hsl(hue, 0.45, 0.36), hsl(math.Mod(hue+0.09, 1), 0.5, 0.62)
	type disc struct {
		x, y, radius float64
		colour       color.NRGBA
	}
	discs := make([]disc, 5)
	for i := range discs {
		c := hsl(math.Mod(hue+0.04*float64(i), 1), 0.55, 0.55+0.06*float64(i))
		c.A = 90
		discs[i] = disc{r.Float64() * float64(width), r.Float64() * float64(height), (0.15 + 0.35*r.Float64()) * float64(height), c}
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := mix(from, to, float64(x+y)/float64(width+height))
			for _, d := range discs {
				if math.Hypot(float64(x)-d.x, float64(y)-d.y) < d.radius {
					c = mix(c, d.colour, float64(d.colour.A)/255)
				}
			}
			c.A = 255
			img.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw picture: %w", err)
	}
	return b.Bytes(), nil
}

func mix(a, b color.NRGBA, part float64) color.NRGBA {
	between := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*part) }
	return color.NRGBA{between(a.R, b.R), between(a.G, b.G), between(a.B, b.B), 255}
}

// hsl is a colour by hue, saturation and lightness, each from 0 to 1.
func hsl(h, s, l float64) color.NRGBA {
	channel := func(n float64) uint8 {
		k := math.Mod(n+12*h, 12)
		return uint8(255 * (l - s*min(l, 1-l)*max(-1, min(k-3, 9-k, 1))))
	}
	return color.NRGBA{channel(0), channel(8), channel(4), 255}
}

// upload puts a picture among the files that everybody may see.
func (w *world) upload(ctx context.Context, name string, width, height, palette int) (site.Media, error) {
	data, err := picture(width, height, palette)
	if err != nil {
		return site.Media{}, err
	}
	return w.site.Upload(ctx, name, data)
}

// dress gives products their pictures, and the landing page its words.
func (w *world) dress(ctx context.Context) error {
	var featured []int64
	for i, c := range courses() {
		if c.status != shop.Active {
			continue
		}
		m, err := w.upload(ctx, c.slug+".png", 640, 360, i)
		if err != nil {
			return err
		}
		p, err := w.shop.UpdateProduct(ctx, w.products[c.slug].ID, shop.ProductChange{Image: &m.ID})
		if err != nil {
			return err
		}
		w.products[c.slug] = p
		if len(featured) < 4 || c.slug == "career-bundle" {
			featured = append(featured, p.ID)
		}
	}
	hero, err := w.upload(ctx, "hero.png", 1280, 560, 4)
	if err != nil {
		return err
	}
	_, err = w.site.Put(ctx, site.Settings{
		Name: w.o.Site, Headline: "Learn what pays, from people who do it", HeroImage: hero.ID, Featured: featured, Accent: accent, Locale: "en-IN",
		SupportEmail: "support@" + Domain,
		Text: "Short courses for work and money: one evening at a time, in plain words, with exercises that somebody looks at.\n\n" +
			"**Nimbak Academy is a demo.** Nobody teaches here, and nothing that you pay leaves this machine.",
		Terms:   "## Terms\n\nThis is a demo. Whatever is bought here is delivered at once and is worth nothing.",
		Privacy: "## Privacy\n\nEverybody whose name you see here was made up. What you type in stays on the machine that runs the demo.",
		Refund:  "## Refunds\n\nWithin seven days, without reasons. Write to support; the money of a demo is back within a second.",
		Contact: "## Contact\n\nNimbak Academy, 12 Lake Road, Bengaluru 560034. An address of a demo: nobody opens the door.",
	})
	return err
}

// handOut gives affiliates what they can use.
func (w *world) handOut(ctx context.Context) error {
	list := []material.Material{
		{Kind: material.Text, Name: "Three lines for a post", Content: "I took Sales from scratch last month and used it the next day.\nSix evenings, no tricks.\n{link}"},
		{Kind: material.Text, Name: "A message to a friend", Content: "You asked how I learned this. Here: {link}\nAsk me if something is unclear. {name}"},
		{Kind: material.Email, Name: "After a first talk", Subject: "The course I mentioned", Content: "Hello,\n\nthis is the course that I told you about: {link}\n\nThe first lesson is free to watch.\n\n{name}"},
		{Kind: material.Landing, Name: "Career bundle", URL: w.o.URL + "/products/career-bundle", ProgramID: w.academy.ID},
		{Kind: material.Landing, Name: "All courses", URL: w.o.URL + "/products", ProgramID: w.academy.ID},
	}
	for i, size := range [][2]int{{728, 90}, {300, 250}, {320, 480}} {
		m, err := w.upload(ctx, fmt.Sprintf("banner-%dx%d.png", size[0], size[1]), size[0], size[1], 20+i)
		if err != nil {
			return err
		}
		list = append(list, material.Material{Kind: material.Banner, Name: fmt.Sprintf("Banner %d x %d", size[0], size[1]), MediaID: m.ID, ProgramID: w.academy.ID})
	}
	guide, err := w.site.Upload(ctx, "how-to-recommend.pdf", specimen("How to recommend a course"))
	if err != nil {
		return err
	}
	list = append(list, material.Material{Kind: material.File, Name: "How to recommend a course (PDF)", MediaID: guide.ID})
	for i, m := range list {
		m.Active, m.Position = true, int64(10*i)
		if _, err := w.materials.Create(ctx, m); err != nil {
			return fmt.Errorf("material %s: %w", m.Name, err)
		}
	}
	return nil
}

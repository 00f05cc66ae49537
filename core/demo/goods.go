package demo

import (
	"context"

	"github.com/edgeref/edgeref/core/shop"
)

// course is a product of the demo.
type course struct {
	slug, name, description string
	rupees, dollars         int64
	weight                  int      // how often it is bought
	parts                   []string // of a bundle: slugs
	hold                    int      // days; shop.NoHold: as its program says
	apart                   bool     // belongs to no program
	status                  shop.Status
}

func courses() []course {
	const no = shop.NoHold
	return []course{
		{"sales-basics", "Sales from scratch", "Six evenings on how people decide to buy: listening, asking, making an offer, and hearing a no. With scripts to practise, a workbook, and calls that were recorded with their owners' consent.", 1499, 19, 26, nil, no, false, shop.Active},
		{"video-marketing", "Video marketing with a phone", "Plan, film, cut and publish short videos with what you have in your pocket. Light, sound, the first three seconds, and a month of ideas.", 2999, 39, 20, nil, no, false, shop.Active},
		{"personal-finance", "Personal finance for first earners", "A budget that survives the month, insurance without regret, debts in the right order, and what an index fund is. No tips, no shares to buy.", 1999, 25, 16, nil, no, false, shop.Active},
		{"spoken-english", "Spoken English in 60 days", "Twenty minutes a day with a partner: meetings, phone calls, interviews. Every lesson ends with something said aloud.", 2499, 32, 15, nil, no, false, shop.Active},
		{"spreadsheets", "Spreadsheets that think", "From a clean table to pivot, look-up and a dashboard that your manager understands. Works with any spreadsheet.", 1799, 22, 12, nil, no, false, shop.Active},
		{"freelancing", "Freelance, and get paid", "Finding the first three clients, writing an offer, asking for the advance, and invoicing with GST.", 3499, 45, 9, nil, no, false, shop.Active},
		{"web-design", "Web design by hand", "HTML and CSS, type, colour and space, and a site of your own online by the end of week four.", 4999, 65, 8, nil, no, false, shop.Active},
		{"mentoring", "Mentoring, twelve weeks", "A group of eight, a mentor, a goal each. Every week an hour together, and somebody who asks what became of it.", 24999, 320, 3, nil, 30, false, shop.Active},
		{"career-bundle", "Career bundle", "Spoken English, spreadsheets and freelancing together, for less than two of them.", 5999, 79, 7, []string{"spoken-english", "spreadsheets", "freelancing"}, no, false, shop.Active},
		{"creator-bundle", "Creator bundle", "Video marketing, web design and sales: make it, show it, sell it.", 7499, 99, 5, []string{"video-marketing", "web-design", "sales-basics"}, no, false, shop.Active},
		{"goal-workbook", "Goal workbook", "Forty pages to print: a year, its quarters and this week. Free; pass it on.", 0, 0, 4, nil, no, true, shop.Active},
		{"data-stories", "Telling stories with data", "In the making: how to choose a chart, and when not to draw one.", 3999, 52, 0, nil, no, false, shop.Draft},
	}
}

// makeGoods makes the products. A bundle comes after its parts.
func (w *world) makeGoods(ctx context.Context) error {
	w.products = map[string]shop.Product{}
	for _, c := range courses() {
		p := shop.Product{
			Slug: c.slug, Name: c.name, Description: c.description, Prices: map[string]int64{"INR": c.rupees * 100, "USD": c.dollars * 100}, SKU: "NB-" + c.slug,
			TaxBP: 1800, TaxCode: "999293", TaxIncluded: true, HoldDays: c.hold, ProgramID: w.academy.ID, Kind: shop.Single, Status: c.status,
			Entitlements: []string{"course:" + c.slug},
		}
		if c.apart {
			p.ProgramID = 0
			p.Files = []shop.File{{Name: "Goal workbook (PDF)", Key: "files/goal-workbook.pdf"}}
		}
		for _, part := range c.parts {
			p.Kind, p.Entitlements = shop.Bundle, nil
			p.Parts = append(p.Parts, w.products[part].ID)
		}
		made, err := w.shop.CreateProduct(ctx, p)
		if err != nil {
			return err
		}
		w.products[c.slug] = made
	}
	return nil
}

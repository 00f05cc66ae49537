package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

// Why is all that explains a conversion and what it earned: to whom it belongs, by which click, by which rule in which
// version, what took it back, and which payouts pay it.
type Why struct {
	View        WhyView         `json:"view" enum:"all,own,downline,reassigned" doc:"own: of a sale of one's own. downline: of one of somebody whom one brought. reassigned: the conversion was given to somebody else. Of the last two, only what concerns one's commission is told"`
	Conversion  Conversion      `json:"conversion"`
	Attribution *Attribution    `json:"attribution,omitempty" doc:"Absent: it is another affiliate's. To affiliates, candidates of others have no identifiers"`
	Clicks      []StoryClick    `json:"clicks" nullable:"false" doc:"Those that were weighed; to affiliates, only their own"`
	Link        *Link           `json:"link,omitempty" doc:"By which it came"`
	OrderID     string          `json:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"Of the shop; empty: none, or another's"`
	Related     []Conversion    `json:"related" nullable:"false" doc:"Refunds, rejections and won disputes of the same sale, or the sale of a refund; the oldest first"`
	Commissions []WhyCommission `json:"commissions" nullable:"false" doc:"Those that count first"`
	Parts       []StoryPart     `json:"parts" nullable:"false" doc:"How complete clicks, payouts and rules are"`
}

// WhyView says how much is told.
type WhyView string

// Views.
const (
	viewAll        WhyView = "all"
	viewOwn        WhyView = "own"
	viewDownline   WhyView = "downline"
	viewReassigned WhyView = "reassigned"
)

// WhyCommission is a commission with the rule that made it and the payouts that pay it.
type WhyCommission struct {
	CommissionDetail
	Product string        `json:"product" example:"Sales training" doc:"The line of the order that it is for; empty: it is for all"`
	Rule    *Rule         `json:"rule,omitempty" doc:"As the version that paid had it"`
	Payouts []StoryPayout `json:"payouts" nullable:"false" doc:"The oldest first"`
}

type whyOutput struct{ Body Why }

func whyOperations(a *API, d *DeskServices) {
	handle(a, operation{
		id: "get-commission-why", method: http.MethodGet, path: "/commissions/{id}/why", tag: "Commissions", scope: access.LedgerRead,
		summary: "Explain a commission", about: "With the conversion, its clicks and attribution, the version of the rule, the arithmetic, what took it back and what paid it.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *CommissionPath) (*whyOutput, error) {
		return a.whyCommission(ctx, d, in.ID, 0)
	})
	handle(a, operation{
		id: "get-conversion-why", method: http.MethodGet, path: "/conversions/{id}/why", tag: "Conversions", scope: access.ConversionsRead,
		summary: "Explain a conversion", about: "With its clicks and attribution, and each commission that it earned.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ConversionPath) (*whyOutput, error) {
		return a.whyConversion(ctx, d, in.ID, 0)
	})
	handleSelf(a, operation{
		id: "get-my-commission-why", method: http.MethodGet, path: "/commissions/{id}/why", summary: "Explain one of your commissions",
		about: "With the conversion, your clicks, the version of the rule, the arithmetic, what took it back and what paid it.",
	}, func(ctx context.Context, affiliate int64, in *CommissionPath) (*whyOutput, error) {
		return a.whyCommission(ctx, d, in.ID, affiliate)
	})
	handleSelf(a, operation{
		id: "get-my-conversion-why", method: http.MethodGet, path: "/conversions/{id}/why", summary: "Explain a conversion attributed to you",
	}, func(ctx context.Context, affiliate int64, in *ConversionPath) (*whyOutput, error) {
		return a.whyConversion(ctx, d, in.ID, affiliate)
	})
}

// whyCommission explains one commission; affiliate is its owner, or 0 for anybody's.
func (a *API) whyCommission(ctx context.Context, d *DeskServices, path string, affiliate int64) (*whyOutput, error) {
	id, err := pathID(ident.Commission, path)
	if err != nil {
		return nil, err
	}
	c, err := d.Commissions.Get(ctx, id)
	if err == nil && affiliate != 0 && c.AffiliateID != affiliate {
		err = errNoSuch
	}
	if err != nil {
		return nil, err
	}
	family, err := d.Conversions.Family(ctx, c.ConversionID, maxStoryEntries)
	if err != nil {
		return nil, err
	}
	w := &why{a: a, d: d, affiliate: affiliate, family: family, subject: c.ConversionID, shown: c.ConversionID, commissions: []commission.Commission{c}}
	return w.answer(ctx)
}

// whyConversion explains one conversion with all commissions of its sale; those of affiliate only, if it is not 0.
func (a *API) whyConversion(ctx context.Context, d *DeskServices, path string, affiliate int64) (*whyOutput, error) {
	id, err := pathID(ident.Conversion, path)
	if err != nil {
		return nil, err
	}
	family, err := d.Conversions.Family(ctx, id, maxStoryEntries)
	if err != nil {
		return nil, err
	}
	w := &why{a: a, d: d, affiliate: affiliate, family: family, shown: id}
	shown := w.find(id)
	if shown == nil || affiliate != 0 && shown.AffiliateID != affiliate {
		return nil, errNoSuch
	}
	if w.subject, err = subjectOf(shown); err != nil {
		return nil, err
	}
	if w.subject != 0 {
		list, err := d.Commissions.Of(ctx, w.subject)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if affiliate == 0 || c.AffiliateID == affiliate {
				w.commissions = append(w.commissions, c)
			}
		}
	}
	return w.answer(ctx)
}

// subjectOf is the sale or lead that a conversion is, or takes back from; 0: it has not come in.
func subjectOf(c *conversion.Conversion) (int64, error) {
	switch {
	case c.Type == wire.Sale || c.Type == wire.Lead:
		return c.ID, nil
	case c.Attribution.SubjectID == "":
		return 0, nil
	}
	id, err := ident.Parse(ident.Conversion, c.Attribution.SubjectID)
	if err != nil {
		return 0, fmt.Errorf("explain conversion: %w", err)
	}
	return id, nil
}

// find returns a conversion of the family, or nil.
func (w *why) find(id int64) *conversion.Conversion {
	for i := range w.family {
		if w.family[i].ID == id {
			return &w.family[i]
		}
	}
	return nil
}

// noRule says whether a commission names a rule that is not there, which only damaged data do.
func noRule(err error) bool { return errors.Is(err, commission.ErrRuleNotFound) }

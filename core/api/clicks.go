package api

import (
	"context"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// Click is a single click. What it does not have is empty.
type Click struct {
	ID           string          `json:"id" doc:"Click ID"`
	Time         Time            `json:"time"`
	AffiliateID  string          `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	ProgramID    string          `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	LinkID       string          `json:"link_id" example:"lnk_01J8Z0QK5T2VG"`
	Node         uint16          `json:"node" doc:"Edge node that answered it"`
	Bot          click.BotReason `json:"bot" doc:"Why it is taken for a bot; empty: it is not"`
	Sub1         string          `json:"sub1"`
	Sub2         string          `json:"sub2"`
	Sub3         string          `json:"sub3"`
	Sub4         string          `json:"sub4"`
	Sub5         string          `json:"sub5"`
	GCLID        string          `json:"gclid"`
	FBCLID       string          `json:"fbclid"`
	TTCLID       string          `json:"ttclid"`
	MSCLKID      string          `json:"msclkid"`
	UTMSource    string          `json:"utm_source"`
	UTMMedium    string          `json:"utm_medium"`
	UTMCampaign  string          `json:"utm_campaign"`
	UTMTerm      string          `json:"utm_term"`
	UTMContent   string          `json:"utm_content"`
	ReferrerHost string          `json:"referrer_host"`
	ReferrerPath string          `json:"referrer_path"`
	Browser      string          `json:"browser"`
	OS           string          `json:"os"`
	Device       string          `json:"device"`
	Country      string          `json:"country" example:"IN"`
	Language     string          `json:"language" example:"en"`
	Network      string          `json:"network" doc:"Client address cut to /24 or /48" example:"203.0.113.0/24"`
}

type clicksInput struct {
	ReportInput
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"Items on a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before; empty for the first page"`
}

// clickCursor marks cursors of the list of clicks.
const clickCursor = "click"

// listClicks lists what in asks for; an own affiliate, if it is not 0, takes the place of the one in there.
func listClicks(ctx context.Context, a *API, r reporter, in *clicksInput, own int64) (*listOutput[Click], error) {
	q := report.ClickQuery{Limit: in.Limit}
	var err error
	if q.From, q.To, q.Filters, q.AffiliateID, err = in.parse(); err != nil {
		return nil, err
	}
	if own != 0 {
		q.AffiliateID = own
	}
	if in.Cursor != "" {
		text, err := decodeCursor(clickCursor, in.Cursor)
		if err != nil {
			return nil, err
		}
		if q.Before, err = click.ParseID(text); err != nil {
			return nil, errCursor
		}
	}
	if err := q.Validate(); err != nil {
		return nil, err
	}
	rows, err := r.Clicks(ctx, q)
	if err != nil {
		return nil, a.reportsDown(ctx, err)
	}
	out := &listOutput[Click]{Body: List[Click]{Items: make([]Click, len(rows))}}
	for i := range rows {
		out.Body.Items[i] = clickBody(&rows[i])
	}
	// A full page may be the last one: then the next is empty.
	if len(rows) == q.Limit {
		out.Body.NextCursor = encodeCursor(clickCursor, rows[len(rows)-1].ID.String())
	}
	return out, nil
}

func clickBody(r *click.Record) Click {
	return Click{
		ID: r.ID.String(), Time: timeOf(r.ID.UnixMilli()), AffiliateID: identOrNone(ident.Affiliate, r.ID.AffiliateID()),
		ProgramID: identOrNone(ident.Program, r.ProgramID), LinkID: identOrNone(ident.Link, r.ID.LinkID()), Node: r.ID.Node(), Bot: r.Bot,
		Sub1: r.Sub[0], Sub2: r.Sub[1], Sub3: r.Sub[2], Sub4: r.Sub[3], Sub5: r.Sub[4],
		GCLID: r.GCLID, FBCLID: r.FBCLID, TTCLID: r.TTCLID, MSCLKID: r.MSCLKID,
		UTMSource: r.UTMSource, UTMMedium: r.UTMMedium, UTMCampaign: r.UTMCampaign, UTMTerm: r.UTMTerm, UTMContent: r.UTMContent,
		ReferrerHost: r.ReferrerHost, ReferrerPath: r.ReferrerPath, Browser: r.Browser, OS: r.OS, Device: r.Device,
		Country: r.Country, Language: r.Language, Network: r.Network,
	}
}

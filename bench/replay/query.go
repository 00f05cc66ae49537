package replay

import (
	"net/url"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// filter keeps what has one of the values (or, negated, none of them); values are written as the API writes them.
type filter struct {
	Dimension report.Dimension
	Values    []string
	Not       bool
}

// query is one question to the reports, in the API's words.
type query struct {
	Name      string
	From, To  time.Time
	Zone      *time.Location // nil: UTC
	Bucket    report.Bucket
	Group     report.Dimension
	Filters   []filter
	Affiliate string // id; "": all
	Limit     int    // 0: report.MaxLimit
}

func (q *query) limit() int {
	if q.Limit == 0 {
		return report.MaxLimit
	}
	return q.Limit
}

// values is the query as parameters of GET /api/v1/reports.
func (q *query) values() url.Values {
	v := url.Values{
		"from":  {q.From.UTC().Format("2006-01-02T15:04:05.000Z")},
		"to":    {q.To.UTC().Format("2006-01-02T15:04:05.000Z")},
		"limit": {strconv.Itoa(q.limit())},
	}
	if q.Zone != nil {
		v.Set("zone", q.Zone.String())
	}
	if q.Bucket != report.Whole {
		v.Set("bucket", string(q.Bucket))
	}
	if q.Group != "" {
		v.Set("group_by", string(q.Group))
	}
	if q.Affiliate != "" {
		v.Set("affiliate_id", q.Affiliate)
	}
	addFilters(v, q.Filters)
	return v
}

func addFilters(v url.Values, filters []filter) {
	for _, f := range filters {
		for _, value := range f.Values {
			if f.Not {
				value = "!" + value
			}
			v.Add("filter", string(f.Dimension)+":"+value)
		}
	}
}

// questions are the reports that are compared. All are about the run's own programs.
func (w *world) questions(from, to time.Time) []query {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		kolkata = time.FixedZone("Asia/Kolkata", 5*3600+1800)
	}
	own := w.ownPrograms()
	list := []query{
		{Name: "totals"},
		{Name: "by day, UTC", Bucket: report.Day, Zone: time.UTC},
		{Name: "by day, Asia/Kolkata", Bucket: report.Day, Zone: kolkata},
		{Name: "by hour, UTC", Bucket: report.Hour, Zone: time.UTC},
		{Name: "by hour, Asia/Kolkata", Bucket: report.Hour, Zone: kolkata},
	}
	for _, d := range report.Dimensions() {
		list = append(list, query{Name: "by " + string(d), Group: d})
	}
	list = append(list,
		query{Name: "by day and affiliate", Bucket: report.Day, Zone: kolkata, Group: report.Affiliate},
		query{Name: "by hour and bot", Bucket: report.Hour, Zone: time.UTC, Group: report.Bot},
		query{Name: "top 10 referrer hosts", Group: report.ReferrerHost, Limit: 10},
		query{Name: "people by device", Group: report.Device, Filters: []filter{{report.Bot, []string{""}, false}}},
		query{Name: "bots by browser", Group: report.Browser, Filters: []filter{{report.Bot, []string{""}, true}}},
		query{Name: "India by link", Group: report.Link, Filters: []filter{{report.Country, []string{"IN"}, false}}},
	)
	for i := range min(3, len(w.Affiliates)) {
		list = append(list, query{Name: "affiliate " + strconv.Itoa(i+1) + " by link", Group: report.Link, Affiliate: w.Affiliates[i].ID})
	}
	for i := range list {
		list[i].From, list[i].To = from, to
		list[i].Filters = append(list[i].Filters, own)
	}
	return list
}

func (w *world) ownPrograms() filter {
	f := filter{Dimension: report.Program}
	for i := range w.Programs {
		f.Values = append(f.Values, w.Programs[i].ID)
	}
	return f
}

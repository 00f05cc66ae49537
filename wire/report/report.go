// Package report defines what analytics takes in beside clicks, and the questions it answers.
package report

import (
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/wire/click"
)

// Fact is a change of the figures that follows from a booked conversion. A refund is a fact with negative amounts;
// facts are only ever added.
type Fact struct {
	ID          int64    `json:"id,string"` // unique; a fact that comes twice counts once
	Time        int64    `json:"time"`      // Unix ms, when the conversion happened
	ClickID     click.ID `json:"click_id,omitzero"`
	ProgramID   int64    `json:"program_id,string"`
	AffiliateID int64    `json:"affiliate_id,string"` // 0: not attributed
	LinkID      int64    `json:"link_id,string"`      // 0: not attributed
	Leads       int64    `json:"leads"`               // 1, or -1 when rejected
	Sales       int64    `json:"sales"`               // 1, or -1 when rejected; a refund leaves it
	Refunds     int64    `json:"refunds"`             // 1 for a refund
	Currency    string   `json:"currency,omitempty"`
	Revenue     int64    `json:"revenue"`    // minor units, negative for a refund
	Commission  int64    `json:"commission"` // minor units, negative for a refund
}

// Dimension is something that a report can be grouped or filtered by. All but the first three are properties of the
// click; a conversion has those of its click, and "" where it has none.
type Dimension string

// Dimensions.
const (
	Affiliate    Dimension = "affiliate" // values are decimal ids here, formatted at the API
	Program      Dimension = "program"
	Link         Dimension = "link"
	Sub1         Dimension = "sub1"
	Sub2         Dimension = "sub2"
	Sub3         Dimension = "sub3"
	Sub4         Dimension = "sub4"
	Sub5         Dimension = "sub5"
	GCLID        Dimension = "gclid"
	FBCLID       Dimension = "fbclid"
	TTCLID       Dimension = "ttclid"
	MSCLKID      Dimension = "msclkid"
	UTMSource    Dimension = "utm_source"
	UTMMedium    Dimension = "utm_medium"
	UTMCampaign  Dimension = "utm_campaign"
	UTMTerm      Dimension = "utm_term"
	UTMContent   Dimension = "utm_content"
	ReferrerHost Dimension = "referrer_host"
	ReferrerPath Dimension = "referrer_path"
	Browser      Dimension = "browser"
	OS           Dimension = "os"
	Device       Dimension = "device"
	Country      Dimension = "country"
	Language     Dimension = "language"
	Network      Dimension = "network"
	Bot          Dimension = "bot"
	Node         Dimension = "node"
)

// Dimensions returns all of them, in a fixed order.
func Dimensions() []Dimension {
	return []Dimension{
		Affiliate, Program, Link, Sub1, Sub2, Sub3, Sub4, Sub5, GCLID, FBCLID, TTCLID, MSCLKID,
		UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent, ReferrerHost, ReferrerPath,
		Browser, OS, Device, Country, Language, Network, Bot, Node,
	}
}

// Bucket is the step of a time series.
type Bucket string

// Buckets. A bucket begins at a full hour or at midnight in the query's zone.
const (
	Whole Bucket = ""
	Hour  Bucket = "hour"
	Day   Bucket = "day"
)

// Metric is a column that rows can be ordered by, from high to low.
type Metric string

// Metrics. Revenue and commission order by the query's currency.
const (
	Clicks     Metric = "clicks"
	Uniques    Metric = "uniques"
	Bots       Metric = "bots"
	Leads      Metric = "leads"
	Sales      Metric = "sales"
	Revenue    Metric = "revenue"
	Commission Metric = "commission"
)

// Filter keeps what has one of the values in the dimension (or, negated, none of them).
type Filter struct {
	Dimension Dimension
	Values    []string // at least one; the texts of the click, "" for absent
	Not       bool
}

// Limits of a query. MaxSpan bounds the buckets of a series.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	MaxFilters   = 8
	MaxValues    = 100
	MaxHours     = 24 * 62
	MaxDays      = 366 * 2
)

// Query asks for one report. Clicks count by their own time, conversions by theirs.
type Query struct {
	From, To    time.Time      // half open [From, To), cut to the millisecond
	Zone        *time.Location // of the buckets; nil: UTC
	Bucket      Bucket
	GroupBy     Dimension // "": no groups
	Filters     []Filter
	AffiliateID int64  // 0: all; else the report is about this affiliate alone
	OrderBy     Metric // "": clicks
	Currency    string // orders by money of this currency; "": the first, by code, in the result
	Limit       int    // of groups; 0: DefaultLimit. The rest is summed up in Other
}

// ErrQuery is wrapped by every error of Validate.
var ErrQuery = errors.New("invalid report query")

// Validate checks the query and fills in its defaults.
func (q *Query) Validate() error {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	if q.OrderBy == "" {
		q.OrderBy = Clicks
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	q.From, q.To = q.From.Truncate(time.Millisecond), q.To.Truncate(time.Millisecond)
	if !q.From.Before(q.To) {
		return fmt.Errorf("%w: from must be before to", ErrQuery)
	}
	hours := q.To.Sub(q.From).Hours()
	switch q.Bucket {
	case Whole:
	case Hour:
		if hours > MaxHours {
			return fmt.Errorf("%w: at most %d days by the hour", ErrQuery, MaxHours/24)
		}
	case Day:
		if hours > 24*MaxDays {
			return fmt.Errorf("%w: at most %d days by the day", ErrQuery, MaxDays)
		}
	default:
		return fmt.Errorf("%w: bucket must be hour or day", ErrQuery)
	}
	if q.GroupBy != "" && !q.GroupBy.known() {
		return fmt.Errorf("%w: unknown dimension %.32q", ErrQuery, q.GroupBy)
	}
	switch q.OrderBy {
	case Clicks, Uniques, Bots, Leads, Sales, Revenue, Commission:
	default:
		return fmt.Errorf("%w: cannot order by %.32q", ErrQuery, q.OrderBy)
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return fmt.Errorf("%w: limit must be 1 to %d", ErrQuery, MaxLimit)
	}
	return validateFilters(q.Filters)
}

func validateFilters(filters []Filter) error {
	if len(filters) > MaxFilters {
		return fmt.Errorf("%w: at most %d filters", ErrQuery, MaxFilters)
	}
	for _, f := range filters {
		if !f.Dimension.known() {
			return fmt.Errorf("%w: unknown dimension %.32q", ErrQuery, f.Dimension)
		}
		if len(f.Values) == 0 || len(f.Values) > MaxValues {
			return fmt.Errorf("%w: a filter takes 1 to %d values", ErrQuery, MaxValues)
		}
	}
	return nil
}

func (d Dimension) known() bool {
	for _, known := range Dimensions() {
		if d == known {
			return true
		}
	}
	return false
}

// Money is revenue and commission in one currency, in minor units. Currencies are never added up.
type Money struct {
	Currency   string
	Revenue    int64
	Commission int64
}

// Figures are what a report counts.
type Figures struct {
	Clicks  int64 // all, bots included
	Bots    int64 // of those, with a bot reason
	Uniques int64 // distinct visitors of clicks without a bot reason; a visitor is new again each UTC day. Large counts are estimates (about 1 %)
	Leads   int64
	Sales   int64
	Refunds int64
	Money   []Money // by currency code, without zero rows
}

// ConversionRate is sales per click without a bot reason; 0 without such clicks.
func (f Figures) ConversionRate() float64 {
	if people := f.Clicks - f.Bots; people > 0 {
		return float64(f.Sales) / float64(people)
	}
	return 0
}

// EPC is commission per click without a bot reason, in minor units; 0 without such clicks. It is for reading, not for booking.
func (f Figures) EPC(m Money) float64 {
	if people := f.Clicks - f.Bots; people > 0 {
		return float64(m.Commission) / float64(people)
	}
	return 0
}

// Row is one line of a report.
type Row struct {
	Start time.Time // of the bucket, in the query's zone; zero without buckets
	Key   string    // of the group
	Figures
}

// Result answers a Query. Rows are by bucket, then by the order asked for, ties by key. Empty buckets have no row.
type Result struct {
	Rows  []Row
	Other *Figures // the groups beyond the limit, over the whole span; nil if there are none
	Total Figures
}

// ClickQuery asks for single clicks, newest first.
type ClickQuery struct {
	From, To    time.Time
	Filters     []Filter
	AffiliateID int64
	Before      click.ID // continue below this one; zero: from the newest
	Limit       int      // 0: DefaultLimit
}

// Validate checks the query and fills in its defaults.
func (q *ClickQuery) Validate() error {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return fmt.Errorf("%w: limit must be 1 to %d", ErrQuery, MaxLimit)
	}
	if !q.From.Before(q.To) {
		return fmt.Errorf("%w: from must be before to", ErrQuery)
	}
	return validateFilters(q.Filters)
}

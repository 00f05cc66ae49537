package replay

import (
	"time"

	"github.com/edgeref/edgeref/wire/conversion"
)

// txnKey is what makes two events the same event: type and transaction id (which hold the run and the line, and so the
// program).
type txnKey struct {
	Type conversion.Type
	Txn  string
}

// order is one sale or lead with all that happened to it.
type order struct {
	visit      *visit
	program    *program
	amount     int64 // of the sale, minor units
	bp         int64 // the commission's share, basis points; 0: flat
	commission int64
	refunded   int64
	reversed   int64
	closed     bool // nothing is left to take back
}

// event is a step and when it was acknowledged.
type event struct {
	step
	at time.Time
}

// books holds the run's conversions and commissions: a second, small reckoning of what the core must have booked.
type books struct {
	booked    map[txnKey]step
	conflicts map[step]bool // distinct other input under a booked key
	orders    map[string]*order
	waiting   map[string][]event // refunds that came before their sale, by its transaction
	visits    map[int]*visit     // clicks that led to conversions, by line
}

func newBooks() books {
	return books{booked: map[txnKey]step{}, conflicts: map[step]bool{}, orders: map[string]*order{}, waiting: map[string][]event{}, visits: map[int]*visit{}}
}

// addStep takes in an acknowledged conversion. It must be called in the order in which one line's steps were sent.
func (o *oracle) addStep(v *visit, s step, at time.Time) {
	b := &o.books
	s.Seq, s.Pixel = 0, false // neither belongs to what was said
	key := txnKey{s.Type, s.Txn}
	if first, known := b.booked[key]; known {
		if first != s {
			b.conflicts[s] = true
		}
		return
	}
	b.booked[key] = s
	b.visits[s.Line] = v
	switch s.Type {
	case conversion.Sale, conversion.Lead:
		o.open(v, s, at)
		for _, refund := range b.waiting[s.Txn] {
			o.takeBack(refund.step, refund.at)
		}
		delete(b.waiting, s.Txn)
	default:
		if b.orders[s.Ref] == nil {
			b.waiting[s.Ref] = append(b.waiting[s.Ref], event{s, at})
			return
		}
		o.takeBack(s, at)
	}
}

// open books a sale or a lead.
func (o *oracle) open(v *visit, s step, at time.Time) {
	l := &o.world.Links[v.Link]
	p := &o.world.Programs[l.Program]
	ord := &order{visit: v, program: p, amount: s.Minor}
	f := fact{Key: txnKey{s.Type, s.Txn}, Visit: v, At: at, Currency: p.Currency}
	if s.Type == conversion.Lead {
		ord.commission = p.LeadFlat
		f.Leads = 1
	} else {
		ord.bp = p.SaleBP
		if l.Affiliate == 0 && p.FavouriteBP != 0 {
			ord.bp = p.FavouriteBP
		}
		ord.commission = p.SaleFlat
		if ord.bp != 0 {
			ord.commission = proportion(s.Minor, ord.bp, 10_000)
		}
		f.Sales, f.Revenue = 1, s.Minor
	}
	f.Commission = ord.commission
	o.books.orders[s.Txn] = ord
	o.facts = append(o.facts, f)
}

// takeBack books a refund or rejection of a known order.
func (o *oracle) takeBack(s step, at time.Time) {
	ord := o.books.orders[s.Ref]
	if ord.closed {
		return
	}
	f := fact{Key: txnKey{s.Type, s.Txn}, Visit: ord.visit, At: at, Currency: ord.program.Currency}
	part := ord.amount - ord.refunded
	if s.Minor != 0 {
		part = s.Minor
	}
	ord.refunded += part
	ord.closed = ord.refunded == ord.amount
	due := ord.due()
	f.Revenue, f.Commission = -part, ord.reversed-due
	ord.reversed = due
	switch {
	case s.Type == conversion.Refund:
		f.Refunds = 1
	case ord.amount == 0:
		f.Leads = -1
	default:
		f.Sales = -1
	}
	o.facts = append(o.facts, f)
}

// due is what must be taken back of the commission in all: what is paid for the refunded part, rounded once. Where
// nothing is left of the order, that is all of it.
func (ord *order) due() int64 {
	switch {
	case ord.closed:
		return ord.commission
	case ord.bp != 0:
		return proportion(ord.refunded, ord.bp, 10_000)
	}
	return proportion(ord.commission, ord.refunded, ord.amount)
}

// proportion is a*num/den for amounts that are not negative, rounded half up. The plan's amounts stay far from overflow.
func proportion(a, num, den int64) int64 { return (2*a*num + den) / (2 * den) }

// earned is what the affiliates have earned, net of what was taken back.
type earned struct {
	Affiliate int // index into world.Affiliates
	Currency  string
}

// commissions sums up what each affiliate has earned and counts the commissions behind it, and those of them of which
// nothing is left.
func (o *oracle) commissions() (net map[earned]int64, count, reversed int) {
	net = map[earned]int64{}
	for _, ord := range o.books.orders {
		if ord.commission == 0 {
			continue
		}
		count++
		if ord.closed {
			reversed++
		}
		net[earned{o.world.Links[ord.visit.Link].Affiliate, ord.program.Currency}] += ord.commission - ord.reversed
	}
	return net, count, reversed
}

package payment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestReconcile(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		at := f.clock().UnixMilli()
		pay := func(name string) (order int64, c Change) {
			order = f.order()
			c = paid(f.begin(order), name)
			c.At = at
			f.webhook(http.StatusNoContent, "evt_"+name, c)
			f.work()
			return order, c
		}
		list := func(changes ...Change) {
			f.gateway.mu.Lock()
			defer f.gateway.mu.Unlock()
			f.gateway.changes["list"] = changes
		}
		compare := func(want ...string) {
			t.Helper()
			c, err := f.Reconcile(t.Context(), "fake", at-1000, at+1000)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range c.Differences {
				got = append(got, fmt.Sprint(d.Kind, " ", d.Object, " ", d.GatewayID))
			}
			if strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("differences %q, want %q", got, want)
			}
			stored, err := f.Comparison(t.Context(), c.ID)
			if err != nil || stored.Count != len(want) || len(stored.Differences) != len(want) || stored.Payments != c.Payments {
				t.Errorf("stored: %+v, %v", stored, err)
			}
		}
		_, one := pay("pay_1")
		order, two := pay("pay_2")
		if err := f.refund(order, 9, 500); err != nil {
			t.Fatal(err)
		}
		f.work()
		refund := Change{Kind: ChangeKind(Refunded), Key: refundKey(9), PaymentID: "pay_2", RefundID: "rf_" + refundKey(9), Amount: inr(500), At: at}
		f.gateway.refunds = map[string]Change{} // done; what the list says counts
		if err := f.db.InTx(t.Context(), execute("UPDATE payment_refunds SET done_at = ?", at)); err != nil {
			t.Fatal(err)
		}
		list(one, two, refund)
		compare()

		wrong := two
		wrong.Amount = inr(5)
		pending := refund
		pending.Kind = RefundPending
		list(one, wrong, pending, paid("x", "pay_of_nobody"), Change{Kind: ChangeKind(Paid), PaymentID: "pay_foreign", Amount: inr(7), At: at})
		compare("amount payment pay_2", "missing_here payment pay_foreign", "state refund rf_"+refundKey(9))

		list(one)
		compare("missing_there payment pay_2", "missing_there refund rf_"+refundKey(9))
		// It is not in the list, and there when it is asked about by name: another clock, or a refund that took days.
		f.gateway.mu.Lock()
		f.gateway.changes[two.Ref] = []Change{{Kind: two.Kind, Ref: two.Ref, PaymentID: "pay_2", Amount: two.Amount}, {Kind: ChangeKind(Refunded), PaymentID: "pay_2", RefundID: refund.RefundID, Amount: inr(500)}}
		f.gateway.mu.Unlock()
		compare()

		if _, err := f.Reconcile(t.Context(), "fake", at, at); !errors.Is(err, ErrPeriod) {
			t.Errorf("an empty period: %v", err)
		}
		if _, err := f.Reconcile(t.Context(), "nowhere", at, at+1); !errors.Is(err, ErrNoGateway) {
			t.Errorf("no gateway: %v", err)
		}
		all, err := f.Comparisons(context.Background(), 0, 100)
		if err != nil || len(all) != 4 {
			t.Errorf("%d comparisons, %v", len(all), err)
		}
	})
}

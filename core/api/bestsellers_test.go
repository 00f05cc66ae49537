package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/payment"
)

func TestBestsellersThroughTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.product("a", 118_000)
		var order api.CheckoutOrder
		s.do("POST", "/api/v1/checkout/orders", checkout(map[string]any{"gateway": "sandbox"}, p)).want(http.StatusCreated).into(&order)
		whole := "/api/v1/orders/bestsellers?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
		var got api.List[api.Bestseller]
		s.do("GET", whole, nil).want(http.StatusOK).into(&got)
		if len(got.Items) != 0 {
			t.Errorf("before it is paid: %+v", got.Items)
		}
		s.gateway.settle(t, payment.Outcome{OrderID: s.orderID(order.Number), Kind: payment.Paid, Amount: order.Totals.Total, PaymentID: "pay_1"})
		s.do("GET", whole, nil).want(http.StatusOK).into(&got)
		if len(got.Items) != 1 || got.Items[0].ProductID != p.ID || got.Items[0].Sold != 1 || got.Items[0].Net != order.Totals.Net {
			t.Errorf("bestsellers %+v", got.Items)
		}
		s.do("GET", "/api/v1/orders/bestsellers?from=2000-01-01T00:00:00Z", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", whole+"&limit=51", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	})
}

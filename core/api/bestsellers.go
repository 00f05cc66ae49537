package api

import (
	"context"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Bestseller is a product with what was sold of it in one currency.
type Bestseller struct {
	ProductID string       `json:"product_id" example:"prd_01J8Z0QK5T2VG"`
	Name      string       `json:"name" example:"Sales training"`
	Sold      int64        `json:"sold" example:"120" doc:"Lines of orders that were paid"`
	Net       money.Amount `json:"net" doc:"Without tax; whatever was refunded since is in it"`
}

func bestsellerOperation(a *API, s *shop.Service) {
	handle(a, operation{
		id: "list-bestsellers", method: http.MethodGet, path: "/orders/bestsellers", tag: "Orders", scope: access.OrdersRead,
		summary: "List the products that brought the most", about: "Of orders that were begun in a span of time and were paid; for each currency by itself. Always one page.",
	}, func(ctx context.Context, in *struct {
		From  Time `query:"from" required:"true" doc:"Begun at this time or later"`
		To    Time `query:"to" required:"true" doc:"Begun before this time"`
		Limit int  `query:"limit" minimum:"1" maximum:"50" default:"5" doc:"Products a currency"`
	}) (*listOutput[Bestseller], error) {
		from, err1 := parseTime("query.from", in.From)
		to, err2 := parseTime("query.to", in.To)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		rows, err := s.Bestsellers(ctx, time.UnixMilli(from), time.UnixMilli(to), in.Limit)
		if err != nil {
			return nil, err
		}
		out := &listOutput[Bestseller]{Body: List[Bestseller]{Items: make([]Bestseller, len(rows))}}
		for i, b := range rows {
			out.Body.Items[i] = Bestseller{ProductID: ident.Format(ident.Product, b.ProductID), Name: b.Name, Sold: b.Sold, Net: b.Net}
		}
		return out, nil
	})
}

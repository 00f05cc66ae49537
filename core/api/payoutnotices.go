package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/payout/razorpayx"
)

// noticeReader checks that a webhook is from its provider, and reads what it is about.
type noticeReader interface {
	Notice(header http.Header, body []byte) (payout.NoticeOf, error)
}

// PayoutNotices registers what RazorpayX calls when a payout has changed. Nothing in it is believed but which payout to look
// up, so it may come late, twice, or in another order.
func PayoutNotices(s *payout.Service, reader noticeReader) Module {
	return func(a *API) {
		handle(a, operation{
			id: "receive-razorpayx-webhook", method: http.MethodPost, path: "/payout-notices/razorpayx", tag: "Payouts", public: true, perMinute: 1_200,
			status: http.StatusNoContent, summary: "Receive a webhook of RazorpayX", about: "Signed with the secret of the webhook.",
			errors: []int{http.StatusBadRequest}, raw: 256 << 10,
		}, func(ctx context.Context, in *struct {
			Signature string `header:"X-Razorpay-Signature" maxLength:"128"`
			EventID   string `header:"X-Razorpay-Event-Id" maxLength:"128"`
			RawBody   []byte `contentType:"application/json"`
		}) (*struct{}, error) {
			header := http.Header{"X-Razorpay-Signature": {in.Signature}, "X-Razorpay-Event-Id": {in.EventID}}
			n, err := reader.Notice(header, in.RawBody)
			if errors.Is(err, razorpayx.ErrSignature) {
				return nil, &Problem{Status: http.StatusBadRequest, Code: "invalid_signature", Detail: "the signature does not match"}
			}
			if err != nil {
				return nil, &Problem{Status: http.StatusBadRequest, Code: "bad_request", Detail: "the body is not a webhook of RazorpayX"}
			}
			// One that is about no payout of ours is taken too: the account may be used for other things.
			_, err = s.Notice(ctx, razorpayx.Name, n.EventKey, n.Event, n.Key)
			return nil, err
		})
	}
}

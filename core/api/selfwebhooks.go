package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/ident"
)

// OwnWebhookRequest asks for a postback of one's own.
type OwnWebhookRequest struct {
	ProgramID   string         `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG" doc:"Absent: events of all programs"`
	URL         string         `json:"url" minLength:"1" maxLength:"2048" example:"https://track.example.com/pb?tx={txn_id}&amount={commission}" doc:"https, on a public address; may hold macros behind the host"`
	Method      string         `json:"method,omitempty" enum:"GET,POST" doc:"Default: GET"`
	Events      []webhook.Name `json:"events" minItems:"1" maxItems:"16" nullable:"false" enum:"conversion.booked,conversion.refused,commission.created,commission.released,commission.reversed,commission.restored" example:"[\"commission.created\",\"commission.reversed\"]"`
	Description string         `json:"description,omitempty" maxLength:"255" example:"my tracker"`
}

type ownDeliveryList struct {
	WebhookPath
	ListInput
	State string `query:"state" enum:"pending,delivered,dead" doc:"dead: the dead-letter list"`
}

// ownWebhook reads a postback that is the affiliate's.
func ownWebhook(ctx context.Context, s *webhook.Service, affiliate int64, in *WebhookPath) (webhook.Endpoint, error) {
	id, err := pathID(ident.Webhook, in.ID)
	if err != nil {
		return webhook.Endpoint{}, err
	}
	e, err := s.Get(ctx, id)
	if err == nil && e.AffiliateID != affiliate {
		err = errNoSuch
	}
	return e, err
}

func ownWebhooks(a *API, s *webhook.Service) {
	handleSelf(a, operation{
		id: "list-my-webhooks", method: http.MethodGet, path: "/webhooks", summary: "List your postbacks", about: "The newest first, without their secrets.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *ListInput) (*listOutput[Webhook], error) {
		before, err := in.after(ident.Webhook)
		if err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, webhook.EndpointFilter{AffiliateID: affiliate, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Webhook, in.Limit, rows, func(e webhook.Endpoint) int64 { return e.ID }, webhookBody), nil
	})
	handleSelf(a, operation{id: "get-my-webhook", method: http.MethodGet, path: "/webhooks/{id}", summary: "Get one of your postbacks"},
		func(ctx context.Context, affiliate int64, in *WebhookPath) (*webhookOutput, error) {
			e, err := ownWebhook(ctx, s, affiliate, in)
			return &webhookOutput{webhookBody(e)}, err
		})
	handleSelf(a, operation{
		id: "create-my-webhook", method: http.MethodPost, path: "/webhooks", status: http.StatusCreated, summary: "Make a postback",
		about: "It hears of your own conversions and commissions. The secret that signs is in the answer and cannot be read again.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, affiliate int64, in *struct{ Body OwnWebhookRequest }) (*webhookSecretOutput, error) {
		program, err := fieldID(ident.Program, "body.program_id", in.Body.ProgramID)
		if err != nil {
			return nil, err
		}
		out := &webhookSecretOutput{}
		_, _, err = s.Create(ctx, webhook.NewEndpoint{
			ProgramID: program, AffiliateID: affiliate, URL: in.Body.URL, Method: in.Body.Method, Events: in.Body.Events, Description: in.Body.Description,
		}, a.webhookMade(ctx, "webhook.create", http.StatusCreated, out))
		return out, webhookProblem(err)
	})
	ownWebhookChanges(a, s)
}

// webhookMade answers with the secret of a webhook, in its transaction.
func (a *API) webhookMade(ctx context.Context, action string, status int, out *webhookSecretOutput) func(*db.Tx, webhook.Endpoint, string) error {
	return func(tx *db.Tx, e webhook.Endpoint, secret string) error {
		out.Body = WebhookWithSecret{Webhook: webhookBody(e), Secret: secret}
		if err := a.audited(ctx, tx, action, ident.Webhook, e.ID, nil, out.Body.Webhook); err != nil {
			return err
		}
		return record(ctx, tx, status, out.Body)
	}
}

func ownWebhookChanges(a *API, s *webhook.Service) {
	handleSelf(a, operation{
		id: "update-my-webhook", method: http.MethodPatch, path: "/webhooks/{id}", summary: "Change one of your postbacks",
		about: "What waits is sent as the postback is then. Enabling one that was disabled lets it fail anew.",
	}, func(ctx context.Context, affiliate int64, in *struct {
		WebhookPath
		Body WebhookChange
	}) (*webhookOutput, error) {
		e, err := ownWebhook(ctx, s, affiliate, &in.WebhookPath)
		if err != nil {
			return nil, err
		}
		now, err := s.Update(ctx, e.ID, in.Body.change(), changed(ctx, a, "webhook.update", ident.Webhook, e.ID, webhookBody))
		return &webhookOutput{webhookBody(now)}, webhookProblem(err)
	})
	handleSelf(a, operation{
		id: "delete-my-webhook", method: http.MethodDelete, path: "/webhooks/{id}", summary: "Delete one of your postbacks", status: http.StatusNoContent,
	}, func(ctx context.Context, affiliate int64, in *WebhookPath) (*struct{}, error) {
		e, err := ownWebhook(ctx, s, affiliate, in)
		if err != nil {
			return nil, err
		}
		return nil, s.Delete(ctx, e.ID, ended(ctx, a, "webhook.delete", ident.Webhook, e.ID, webhookBody))
	})
	handleSelf(a, operation{
		id: "rotate-my-webhook-secret", method: http.MethodPost, path: "/webhooks/{id}/secret", summary: "Rotate the secret of a postback",
		about: "The previous secret signs too for 24 hours.",
	}, func(ctx context.Context, affiliate int64, in *WebhookPath) (*webhookSecretOutput, error) {
		e, err := ownWebhook(ctx, s, affiliate, in)
		if err != nil {
			return nil, err
		}
		out := &webhookSecretOutput{}
		_, _, err = s.Rotate(ctx, e.ID, a.webhookMade(ctx, "webhook.rotate_secret", http.StatusOK, out))
		return out, err
	})
	handleSelf(a, operation{
		id: "test-my-webhook", method: http.MethodPost, path: "/webhooks/{id}/test", summary: "Send a test",
		about: "Sends a made-up webhook.test event at once and answers what came back. It is not tried again.",
	}, func(ctx context.Context, affiliate int64, in *WebhookPath) (*deliveryDetail, error) {
		e, err := ownWebhook(ctx, s, affiliate, in)
		if err != nil {
			return nil, err
		}
		d, err := s.SendTest(ctx, e.ID, func(tx *db.Tx, e webhook.Endpoint) error {
			return a.audited(ctx, tx, "webhook.test", ident.Webhook, e.ID, nil, webhookBody(e))
		})
		if err != nil {
			return nil, err
		}
		return &deliveryDetail{deliveryDetailBody(d)}, nil
	})
}

// ownDelivery reads a delivery of a postback that is the affiliate's.
func ownDelivery(ctx context.Context, s *webhook.Service, affiliate int64, in *deliveryPath) (webhook.Delivery, error) {
	id, err := pathID(ident.WebhookDelivery, in.ID)
	if err != nil {
		return webhook.Delivery{}, err
	}
	d, err := s.Delivery(ctx, id)
	if err != nil {
		return webhook.Delivery{}, err
	}
	e, err := s.Get(ctx, d.EndpointID)
	if err == nil && e.AffiliateID != affiliate {
		err = errNoSuch
	}
	return d, err
}

func ownDeliveries(a *API, s *webhook.Service) {
	handleSelf(a, operation{
		id: "list-my-webhook-deliveries", method: http.MethodGet, path: "/webhooks/{id}/deliveries", summary: "List deliveries of one of your postbacks",
		about: "The newest first. Those that have ended stay for 30 days.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *ownDeliveryList) (*listOutput[WebhookDelivery], error) {
		e, err := ownWebhook(ctx, s, affiliate, &in.WebhookPath)
		if err != nil {
			return nil, err
		}
		before, err := in.after(ident.WebhookDelivery)
		if err != nil {
			return nil, err
		}
		rows, err := s.Deliveries(ctx, webhook.DeliveryFilter{EndpointID: e.ID, State: webhook.DeliveryState(in.State), Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.WebhookDelivery, in.Limit, rows, func(d webhook.Delivery) int64 { return d.ID }, deliveryBody), nil
	})
	handleSelf(a, operation{id: "get-my-webhook-delivery", method: http.MethodGet, path: "/webhook-deliveries/{id}", summary: "Get a delivery", about: "With the event and every attempt."},
		func(ctx context.Context, affiliate int64, in *deliveryPath) (*deliveryDetail, error) {
			d, err := ownDelivery(ctx, s, affiliate, in)
			if err != nil {
				return nil, err
			}
			return &deliveryDetail{deliveryDetailBody(d)}, nil
		})
	handleSelf(a, operation{
		id: "replay-my-webhook-delivery", method: http.MethodPost, path: "/webhook-deliveries/{id}/replay", summary: "Send a delivery again",
		about: "One that is dead or delivered, for another 24 hours and under the same id.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, affiliate int64, in *deliveryPath) (*deliveryOutput, error) {
		d, err := ownDelivery(ctx, s, affiliate, in)
		if err != nil {
			return nil, err
		}
		out := &deliveryOutput{}
		_, err = s.Replay(ctx, d.ID, func(tx *db.Tx, d webhook.Delivery) error {
			out.Body = deliveryBody(d)
			if err := a.audited(ctx, tx, "webhook_delivery.replay", ident.WebhookDelivery, d.ID, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

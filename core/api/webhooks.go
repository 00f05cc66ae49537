package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/ident"
)

// Webhook is an endpoint that events are sent to, without its secret.
type Webhook struct {
	ID             string         `json:"id" example:"whk_01J8Z0QK5T2VG"`
	Kind           string         `json:"kind" enum:"webhook,postback" doc:"A postback is an affiliate's and hears of that affiliate's conversions only"`
	ProgramID      string         `json:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Empty: of all programs"`
	AffiliateID    string         `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Empty: a webhook of the business"`
	URL            string         `json:"url" example:"https://shop.example.com/hooks/edgeref"`
	Method         string         `json:"method" enum:"GET,POST"`
	Events         []webhook.Name `json:"events" nullable:"false" example:"[\"commission.created\"]"`
	Description    string         `json:"description" example:"accounting"`
	State          webhook.State  `json:"state" enum:"active,disabled"`
	DisabledReason string         `json:"disabled_reason" example:""`
	FailingSince   *Time          `json:"failing_since" nullable:"true" doc:"Null: the last attempt succeeded. Five days of nothing but failures disable the webhook"`
	CreatedAt      Time           `json:"created_at"`
	UpdatedAt      Time           `json:"updated_at"`
}

// WebhookWithSecret is a webhook just made, or rotated.
type WebhookWithSecret struct {
	Webhook
	Secret string `json:"secret" doc:"Signs what is sent, as Standard Webhooks says. Shown this once" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

// WebhookRequest asks for a webhook.
type WebhookRequest struct {
	ProgramID   string         `json:"program_id,omitempty" example:"prg_01J8Z0QK5T2VG" doc:"Absent: events of all programs"`
	AffiliateID string         `json:"affiliate_id,omitempty" doc:"Makes it this affiliate's postback"`
	URL         string         `json:"url" minLength:"1" maxLength:"2048" example:"https://shop.example.com/hooks/edgeref" doc:"https, on a public address. Of a postback it may hold macros behind the host, such as {txn_id}"`
	Method      string         `json:"method,omitempty" enum:"GET,POST" doc:"Default: POST, of a postback GET. Only a postback can be GET"`
	Events      []webhook.Name `json:"events" minItems:"1" maxItems:"16" nullable:"false" enum:"conversion.booked,conversion.refused,commission.created,commission.released,commission.reversed,commission.restored" example:"[\"commission.created\",\"commission.reversed\"]"`
	Description string         `json:"description,omitempty" maxLength:"255" example:"accounting"`
}

// WebhookChange changes what is present.
type WebhookChange struct {
	URL         *string        `json:"url,omitempty" minLength:"1" maxLength:"2048"`
	Method      *string        `json:"method,omitempty" enum:"GET,POST"`
	Events      []webhook.Name `json:"events,omitempty" minItems:"1" maxItems:"16" nullable:"false" enum:"conversion.booked,conversion.refused,commission.created,commission.released,commission.reversed,commission.restored" example:"[\"commission.created\"]"`
	Description *string        `json:"description,omitempty" maxLength:"255"`
	State       *webhook.State `json:"state,omitempty" enum:"active,disabled" example:"active"`
}

// WebhookPath names one webhook.
type WebhookPath struct {
	ID string `path:"id" example:"whk_01J8Z0QK5T2VG"`
}

// WebhookDelivery is one event for one webhook.
type WebhookDelivery struct {
	ID          string                `json:"id" example:"dlv_01J8Z0QK5T2VG"`
	WebhookID   string                `json:"webhook_id" example:"whk_01J8Z0QK5T2VG"`
	EventID     string                `json:"event_id" example:"evt_01J8Z0QK5T2VG" doc:"Sent as webhook-id, the same in every attempt and replay"`
	Event       webhook.Name          `json:"event" example:"commission.created"`
	State       webhook.DeliveryState `json:"state" enum:"pending,delivered,dead"`
	Attempts    int64                 `json:"attempts" example:"1" doc:"Since the event, or since the last replay"`
	NextAt      *Time                 `json:"next_at" nullable:"true" doc:"When it is tried again; null unless pending"`
	LastStatus  int                   `json:"last_status" example:"204" doc:"0: no answer"`
	LastError   string                `json:"last_error" example:""`
	DeliveredAt *Time                 `json:"delivered_at" nullable:"true"`
	CreatedAt   Time                  `json:"created_at"`
}

// WebhookDeliveryDetail is a delivery with what was to be told and what was sent.
type WebhookDeliveryDetail struct {
	WebhookDelivery
	Payload json.RawMessage  `json:"payload" doc:"The event, as a webhook has it in its body"`
	Log     []WebhookAttempt `json:"log" nullable:"false" doc:"The newest first, at most 100; kept for 30 days"`
}

// WebhookAttempt is one request that was sent.
type WebhookAttempt struct {
	Attempt    int64  `json:"attempt" example:"1"`
	At         Time   `json:"at"`
	DurationMS int64  `json:"duration_ms" example:"84"`
	Status     int    `json:"status" example:"204" doc:"0: no answer"`
	Error      string `json:"error" example:""`
	Response   string `json:"response" example:"" doc:"The beginning of the body"`
}

// WebhookReplayed says how much a replay made due.
type WebhookReplayed struct {
	Replayed int  `json:"replayed" example:"12"`
	More     bool `json:"more" doc:"There are dead ones left: ask again"`
}

type (
	webhookOutput       struct{ Body Webhook }
	webhookSecretOutput struct{ Body WebhookWithSecret }
	deliveryOutput      struct{ Body WebhookDelivery }
	deliveryDetail      struct{ Body WebhookDeliveryDetail }
)

type webhookList struct {
	ListInput
	ProgramID   string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       string `query:"state" enum:"active,disabled"`
}

type deliveryList struct {
	ListInput
	WebhookID string `query:"webhook_id" example:"whk_01J8Z0QK5T2VG"`
	State     string `query:"state" enum:"pending,delivered,dead" doc:"dead: the dead-letter list"`
	PeriodInput
}

// Webhooks registers the operations on webhooks, postbacks and their deliveries.
func Webhooks(s *webhook.Service) Module {
	return func(a *API) {
		webhookReads(a, s)
		webhookChanges(a, s)
		webhookActions(a, s)
		deliveryOperations(a, s)
	}
}

func webhookReads(a *API, s *webhook.Service) {
	handle(a, operation{
		id: "list-webhooks", method: http.MethodGet, path: "/webhooks", tag: "Webhooks", scope: access.WebhooksRead,
		summary: "List webhooks and postbacks", about: "The newest first, without their secrets.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *webhookList) (*listOutput[Webhook], error) {
		before, err := in.after(ident.Webhook)
		if err != nil {
			return nil, err
		}
		program, err1 := fieldID(ident.Program, "query.program_id", in.ProgramID)
		affiliate, err2 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, webhook.EndpointFilter{
			ProgramID: program, AffiliateID: affiliate, State: webhook.State(in.State), Before: before, Limit: in.Limit + 1,
		})
		if err != nil {
			return nil, err
		}
		return page(ident.Webhook, in.Limit, rows, func(e webhook.Endpoint) int64 { return e.ID }, webhookBody), nil
	})
	handle(a, operation{
		id: "get-webhook", method: http.MethodGet, path: "/webhooks/{id}", tag: "Webhooks", scope: access.WebhooksRead,
		summary: "Get a webhook", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *WebhookPath) (*webhookOutput, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Get(ctx, id)
		return &webhookOutput{webhookBody(e)}, err
	})
}

func webhookChanges(a *API, s *webhook.Service) {
	handle(a, operation{
		id: "create-webhook", method: http.MethodPost, path: "/webhooks", tag: "Webhooks", scope: access.WebhooksWrite,
		status: http.StatusCreated, summary: "Create a webhook or postback",
		about: "With an affiliate_id it is that affiliate's postback, whose URL may hold {" + strings.Join(webhook.Macros(), "}, {") + "}: " +
			"each value is escaped for where it stands, and {txn_id} may stand behind the ? only. Nothing is sent to addresses that are not public.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body WebhookRequest }) (*webhookSecretOutput, error) {
		program, err1 := fieldID(ident.Program, "body.program_id", in.Body.ProgramID)
		affiliate, err2 := fieldID(ident.Affiliate, "body.affiliate_id", in.Body.AffiliateID)
		if err := invalidAll(err1, err2); err != nil {
			return nil, err
		}
		out := &webhookSecretOutput{}
		_, _, err := s.Create(ctx, webhook.NewEndpoint{
			ProgramID: program, AffiliateID: affiliate, URL: in.Body.URL, Method: in.Body.Method, Events: in.Body.Events, Description: in.Body.Description,
		}, func(tx *db.Tx, e webhook.Endpoint, secret string) error {
			out.Body = WebhookWithSecret{Webhook: webhookBody(e), Secret: secret}
			if err := a.audited(ctx, tx, "webhook.create", ident.Webhook, e.ID, nil, out.Body.Webhook); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, webhookProblem(err)
	})
	handle(a, operation{
		id: "update-webhook", method: http.MethodPatch, path: "/webhooks/{id}", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Change a webhook", about: "What waits is sent as the webhook is then. Enabling one that was disabled lets it fail anew.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		WebhookPath
		Body WebhookChange
	}) (*webhookOutput, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Update(ctx, id, in.Body.change(), changed(ctx, a, "webhook.update", ident.Webhook, id, webhookBody))
		return &webhookOutput{webhookBody(e)}, webhookProblem(err)
	})
	handle(a, operation{
		id: "delete-webhook", method: http.MethodDelete, path: "/webhooks/{id}", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Delete a webhook", about: "What was not delivered becomes dead. Its deliveries can be read for 30 days.", status: http.StatusNoContent,
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *WebhookPath) (*struct{}, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.Delete(ctx, id, ended(ctx, a, "webhook.delete", ident.Webhook, id, webhookBody))
	})
}

func webhookActions(a *API, s *webhook.Service) {
	handle(a, operation{
		id: "rotate-webhook-secret", method: http.MethodPost, path: "/webhooks/{id}/secret", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Rotate the secret of a webhook", about: "The previous secret signs too for 24 hours: webhook-signature then holds two signatures.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *WebhookPath) (*webhookSecretOutput, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		out := &webhookSecretOutput{}
		_, _, err = s.Rotate(ctx, id, func(tx *db.Tx, e webhook.Endpoint, secret string) error {
			out.Body = WebhookWithSecret{Webhook: webhookBody(e), Secret: secret}
			if err := a.audited(ctx, tx, "webhook.rotate_secret", ident.Webhook, id, nil, out.Body.Webhook); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "test-webhook", method: http.MethodPost, path: "/webhooks/{id}/test", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Send a test", about: "Sends a made-up webhook.test event at once, also to a disabled webhook, and answers what came back. It is not tried again.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *WebhookPath) (*deliveryDetail, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		d, err := s.SendTest(ctx, id, func(tx *db.Tx, e webhook.Endpoint) error {
			return a.audited(ctx, tx, "webhook.test", ident.Webhook, id, nil, webhookBody(e))
		})
		if err != nil {
			return nil, err
		}
		return &deliveryDetail{deliveryDetailBody(d)}, nil
	})
	handle(a, operation{
		id: "replay-webhook", method: http.MethodPost, path: "/webhooks/{id}/replay", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Send all dead deliveries again", about: "The oldest first, at most 5,000 in one call, each for another 24 hours and under its own id.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *WebhookPath) (*struct{ Body WebhookReplayed }, error) {
		id, err := pathID(ident.Webhook, in.ID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body WebhookReplayed }{}
		_, _, err = s.ReplayDead(ctx, id, func(tx *db.Tx, replayed int, more bool) error {
			out.Body = WebhookReplayed{Replayed: replayed, More: more}
			if err := a.audited(ctx, tx, "webhook.replay", ident.Webhook, id, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

func deliveryOperations(a *API, s *webhook.Service) {
	handle(a, operation{
		id: "list-webhook-deliveries", method: http.MethodGet, path: "/webhook-deliveries", tag: "Webhooks", scope: access.WebhooksRead,
		summary: "List deliveries", about: "The newest first. Those that have ended stay for 30 days.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *deliveryList) (*listOutput[WebhookDelivery], error) {
		since, before, err := in.between(ident.WebhookDelivery, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		endpoint, err := fieldID(ident.Webhook, "query.webhook_id", in.WebhookID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Deliveries(ctx, webhook.DeliveryFilter{EndpointID: endpoint, State: webhook.DeliveryState(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.WebhookDelivery, in.Limit, rows, func(d webhook.Delivery) int64 { return d.ID }, deliveryBody), nil
	})
	handle(a, operation{
		id: "get-webhook-delivery", method: http.MethodGet, path: "/webhook-deliveries/{id}", tag: "Webhooks", scope: access.WebhooksRead,
		summary: "Get a delivery", about: "With the event and every attempt.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *deliveryPath) (*deliveryDetail, error) {
		id, err := pathID(ident.WebhookDelivery, in.ID)
		if err != nil {
			return nil, err
		}
		d, err := s.Delivery(ctx, id)
		if err != nil {
			return nil, err
		}
		return &deliveryDetail{deliveryDetailBody(d)}, nil
	})
	handle(a, operation{
		id: "replay-webhook-delivery", method: http.MethodPost, path: "/webhook-deliveries/{id}/replay", tag: "Webhooks", scope: access.WebhooksWrite,
		summary: "Send a delivery again", about: "One that is dead or delivered, for another 24 hours and under the same id.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *deliveryPath) (*deliveryOutput, error) {
		id, err := pathID(ident.WebhookDelivery, in.ID)
		if err != nil {
			return nil, err
		}
		out := &deliveryOutput{}
		_, err = s.Replay(ctx, id, func(tx *db.Tx, d webhook.Delivery) error {
			out.Body = deliveryBody(d)
			if err := a.audited(ctx, tx, "webhook_delivery.replay", ident.WebhookDelivery, id, nil, out.Body); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

type deliveryPath struct {
	ID string `path:"id" example:"dlv_01J8Z0QK5T2VG"`
}

func (c WebhookChange) change() webhook.Change {
	return webhook.Change{URL: c.URL, Method: c.Method, Description: c.Description, Events: c.Events, State: c.State}
}

func webhookBody(e webhook.Endpoint) Webhook {
	kind := "webhook"
	if e.Postback() {
		kind = "postback"
	}
	return Webhook{
		ID: ident.Format(ident.Webhook, e.ID), Kind: kind, ProgramID: identOrNone(ident.Program, e.ProgramID), AffiliateID: identOrNone(ident.Affiliate, e.AffiliateID),
		URL: e.URL, Method: e.Method, Events: e.Events, Description: e.Description, State: e.State, DisabledReason: e.DisabledReason,
		FailingSince: timeOrNil(e.FailingSince), CreatedAt: timeOf(e.CreatedAt), UpdatedAt: timeOf(e.UpdatedAt),
	}
}

func deliveryBody(d webhook.Delivery) WebhookDelivery {
	body := WebhookDelivery{
		ID: ident.Format(ident.WebhookDelivery, d.ID), WebhookID: ident.Format(ident.Webhook, d.EndpointID), EventID: ident.Format(ident.WebhookEvent, d.EventID),
		Event: d.Event, State: d.State, Attempts: d.Attempts, LastStatus: d.LastStatus, LastError: d.LastError,
		DeliveredAt: timeOrNil(d.DeliveredAt), CreatedAt: timeOf(d.CreatedAt),
	}
	if d.State == webhook.Pending {
		body.NextAt = timeOrNil(d.NextAt)
	}
	return body
}

func deliveryDetailBody(d webhook.Delivery) WebhookDeliveryDetail {
	body := WebhookDeliveryDetail{WebhookDelivery: deliveryBody(d), Payload: d.Payload, Log: make([]WebhookAttempt, 0, len(d.Log))}
	for _, a := range d.Log {
		body.Log = append(body.Log, WebhookAttempt{
			Attempt: a.Attempt, At: timeOf(a.CreatedAt), DurationMS: a.DurationMS, Status: a.Status, Error: a.Error, Response: a.Response,
		})
	}
	return body
}

// webhookProblem says which field of a webhook is wrong; other errors stay as they are.
func webhookProblem(err error) error {
	var in *webhook.InvalidError
	if errors.As(err, &in) {
		return invalid("body."+in.Field, in.Reason)
	}
	return err
}

package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
)

// Mail is a mail as shown in lists.
type Mail struct {
	ID        string     `json:"id" example:"mal_01J8Z0QK5T2VG"`
	To        string     `json:"to" example:"ann@example.com"`
	Template  string     `json:"template" example:"test"`
	Subject   string     `json:"subject" example:"A test of mail from Edgeref"`
	State     mail.State `json:"state" enum:"pending,sent,dead,local" doc:"local: no mail server was configured, so it stays here"`
	Attempts  int64      `json:"attempts" example:"1"`
	NextAt    *Time      `json:"next_at" nullable:"true" doc:"When it is tried again; null unless pending"`
	LastError string     `json:"last_error" example:""`
	SentAt    *Time      `json:"sent_at" nullable:"true" doc:"When the mail server took it"`
	Secret    bool       `json:"secret" example:"false" doc:"It opens an account: its text is shown to the scope admin only, and erased when it was sent"`
	CreatedAt Time       `json:"created_at"`
}

// MailDetail is a mail with its text.
type MailDetail struct {
	Mail
	Text string `json:"text" example:"This mail was asked for to see whether mail arrives. It does." doc:"Empty where it was erased, or is not for who asks"`
	HTML string `json:"html" example:"<p>This mail was asked for to see whether mail arrives. It does.</p>"`
}

// MailTestRequest asks for a mail that says that mail arrives.
type MailTestRequest struct {
	To string `json:"to" minLength:"3" maxLength:"254" example:"ann@example.com"`
}

// MailPath names one mail.
type MailPath struct {
	ID string `path:"id" example:"mal_01J8Z0QK5T2VG"`
}

type mailList struct {
	ListInput
	To    string     `query:"to" maxLength:"254" example:"ann@example.com"`
	State mail.State `query:"state" enum:"pending,sent,dead,local" doc:"dead: the dead-letter list"`
	Kind  string     `query:"template" maxLength:"64" example:"order_paid"`
	From  Time       `query:"made_from" doc:"Made at this time or later"`
	Until Time       `query:"made_to" doc:"Made before this time"`
}

type mailOutput struct{ Body Mail }

// Mails registers the operations on mails.
func Mails(s *mail.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "list-mails", method: http.MethodGet, path: "/mails", tag: "Mail", scope: access.MailRead,
			summary: "List mails", about: "The newest first, without their text; kept for 90 days.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *mailList) (*listOutput[Mail], error) {
			since, before, err := in.between(ident.Mail, PeriodInput{in.From, in.Until})
			if err != nil {
				return nil, err
			}
			rows, err := s.List(ctx, mail.Filter{To: in.To, State: in.State, Template: in.Kind, Since: since, Before: before, Limit: in.Limit + 1})
			if err != nil {
				return nil, err
			}
			return page(ident.Mail, in.Limit, rows, func(m mail.Mail) int64 { return m.ID }, mailBody), nil
		})
		handle(a, operation{
			id: "get-mail", method: http.MethodGet, path: "/mails/{id}", tag: "Mail", scope: access.MailRead,
			summary: "Get a mail", about: "With its text, unless that opens an account and you are no owner.", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *MailPath) (*struct{ Body MailDetail }, error) {
			id, err := pathID(ident.Mail, in.ID)
			if err != nil {
				return nil, err
			}
			m, err := s.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			body := MailDetail{Mail: mailBody(m)}
			// A link that resets a password is as good as the account: reading mails must not be a way to become an owner.
			if !m.Secret || principalOf(ctx).Can(access.Admin) {
				body.Text, body.HTML = m.Text, m.HTML
			}
			return &struct{ Body MailDetail }{body}, nil
		})
		mailChanges(a, s)
	}
}

func mailChanges(a *API, s *mail.Service) {
	handle(a, operation{
		id: "resend-mail", method: http.MethodPost, path: "/mails/{id}/resend", tag: "Mail", scope: access.Admin,
		summary: "Send a mail again", about: "One that is sent, dead or local, to the same address and for another 24 hours.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *MailPath) (*mailOutput, error) {
		id, err := pathID(ident.Mail, in.ID)
		if err != nil {
			return nil, err
		}
		out := &mailOutput{}
		_, err = s.Resend(ctx, id, func(tx *db.Tx, _, after mail.Mail) error {
			out.Body = mailBody(after)
			if err := a.audited(ctx, tx, "mail.resend", ident.Mail, id, nil, map[string]string{"template": after.Template}); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "test-mail", method: http.MethodPost, path: "/mails/test", tag: "Mail", scope: access.Admin, status: http.StatusAccepted,
		summary: "Send a test mail", about: "Whether it was sent shows in the list of mails.",
	}, func(ctx context.Context, in *struct{ Body MailTestRequest }) (*mailOutput, error) {
		out := &mailOutput{}
		_, err := s.Test(ctx, in.Body.To, func(tx *db.Tx, made mail.Mail) error {
			out.Body = mailBody(made)
			if err := a.audited(ctx, tx, "mail.test", ident.Mail, made.ID, nil, map[string]string{"template": made.Template}); err != nil {
				return err
			}
			return record(ctx, tx, http.StatusAccepted, out.Body)
		})
		return out, err
	})
}

func mailBody(m mail.Mail) Mail {
	body := Mail{
		ID: ident.Format(ident.Mail, m.ID), To: m.To, Template: m.Template, Subject: m.Subject, State: m.State, Attempts: m.Attempts,
		LastError: m.LastError, SentAt: timeOrNil(m.SentAt), Secret: m.Secret, CreatedAt: timeOf(m.CreatedAt),
	}
	if m.State == mail.Pending {
		body.NextAt = timeOrNil(m.NextAt)
	}
	return body
}

package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/wire/ident"
)

// KYCDocument is a document by which an affiliate is known.
type KYCDocument struct {
	ID          string    `json:"id" example:"kyc_01J8Z0QK5T2VG"`
	AffiliateID string    `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Country     string    `json:"country" example:"IN"`
	Kind        string    `json:"kind" example:"pan_card"`
	State       kyc.State `json:"state" enum:"awaiting,submitted,accepted,rejected" example:"submitted" doc:"awaiting: its file is to be sent"`
	FileName    string    `json:"file_name" example:"pan.pdf"`
	ContentType string    `json:"content_type" example:"application/pdf" doc:"By its content; empty: there is no file yet"`
	Size        int64     `json:"size" example:"48211" doc:"Bytes, as it was sent"`
	SHA256      string    `json:"sha256" example:"" doc:"As it was sent"`
	Reason      string    `json:"reason" example:"" doc:"Of the review"`
	ReviewedBy  string    `json:"reviewed_by" example:"per_01J8Z0QK5T2VG"`
	ReviewedAt  *Time     `json:"reviewed_at" nullable:"true"`
	CreatedAt   Time      `json:"created_at"`
	UpdatedAt   Time      `json:"updated_at"`
}

// KYCDocumentRequest announces a document.
type KYCDocumentRequest struct {
	Country  string `json:"country" minLength:"2" maxLength:"2" example:"IN"`
	Kind     string `json:"kind" minLength:"1" maxLength:"32" example:"pan_card"`
	FileName string `json:"file_name" minLength:"1" maxLength:"160" example:"pan.pdf"`
}

// KYCReview is a decision on a document.
type KYCReview struct {
	Accept bool   `json:"accept" example:"true"`
	Reason string `json:"reason,omitempty" maxLength:"500" example:"" doc:"Must be given to reject"`
}

// KYCLink opens a document for a short time.
type KYCLink struct {
	Path      string `json:"path" example:"/api/v1/kyc-files/eyJ" doc:"Below the address of the core; a GET needs no token. Every look is in the audit log, in the name of who asked for the link"`
	ExpiresAt Time   `json:"expires_at"`
}

// KYCPath names one document.
type KYCPath struct {
	ID string `path:"id" example:"kyc_01J8Z0QK5T2VG"`
}

type (
	kycOutput struct{ Body KYCDocument }
	kycFile   struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Policy      string `header:"Content-Security-Policy"`
		Body        []byte
	}
)

type kycList struct {
	ListInput
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	State       string `query:"state" enum:"awaiting,submitted,accepted,rejected"`
	PeriodInput
}

// KYC registers the operations on documents by which affiliates are known.
func KYC(s *kyc.Service) Module {
	return func(a *API) {
		kycReads(a, s)
		kycChanges(a, s)
		ownDocuments(a, s)
		ownRequirements(a, s)
	}
}

func kycReads(a *API, s *kyc.Service) {
	handle(a, operation{
		id: "list-kyc-documents", method: http.MethodGet, path: "/kyc-documents", tag: "KYC", scope: access.KYCRead,
		summary: "List documents of affiliates", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *kycList) (*listOutput[KYCDocument], error) {
		since, before, err := in.between(ident.KYCDocument, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, kyc.Filter{AffiliateID: affiliate, State: kyc.State(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.KYCDocument, in.Limit, rows, func(d kyc.Document) int64 { return d.ID }, kycBody), nil
	})
	handle(a, operation{
		id: "get-kyc-document", method: http.MethodGet, path: "/kyc-documents/{id}", tag: "KYC", scope: access.KYCRead,
		summary: "Get a document", about: "Without its file.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *KYCPath) (*kycOutput, error) {
		id, err := pathID(ident.KYCDocument, in.ID)
		if err != nil {
			return nil, err
		}
		d, err := s.Get(ctx, id, 0)
		return &kycOutput{kycBody(d)}, err
	})
	handle(a, operation{
		id: "open-kyc-file", method: http.MethodGet, path: "/kyc-files/{token}", tag: "KYC", public: true, perMinute: 60,
		summary: "Open a document by its link", about: "Answers with the file, to be saved.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		Token string `path:"token" maxLength:"512"`
	}) (*kycFile, error) {
		d, data, err := s.Follow(ctx, in.Token, principalOf(ctx).Address)
		if err != nil {
			return nil, err
		}
		return &kycFile{
			ContentType: d.ContentType, Body: data, Policy: "sandbox; default-src 'none'",
			Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": d.FileName}),
		}, nil
	})
}

func kycChanges(a *API, s *kyc.Service) {
	handle(a, operation{
		id: "link-kyc-document", method: http.MethodPost, path: "/kyc-documents/{id}/link", tag: "KYC", scope: access.KYCRead,
		summary: "Make a link to a document", about: "It works for a short time. Who asked for it is in the audit log, and every look.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *KYCPath) (*struct{ Body KYCLink }, error) {
		id, err := pathID(ident.KYCDocument, in.ID)
		if err != nil {
			return nil, err
		}
		out := &struct{ Body KYCLink }{}
		_, _, err = s.Link(ctx, id, func(tx *db.Tx, token string, until time.Time) error {
			out.Body = KYCLink{Path: prefix + "/kyc-files/" + token, ExpiresAt: timeOf(until.UnixMilli())}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "review-kyc-document", method: http.MethodPost, path: "/kyc-documents/{id}/review", tag: "KYC", scope: access.KYCWrite, needsPerson: true,
		summary: "Accept or reject a document", about: "Nobody reviews his own. One that was accepted can be rejected later.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		KYCPath
		Body KYCReview
	}) (*kycOutput, error) {
		id, err := pathID(ident.KYCDocument, in.ID)
		if err != nil {
			return nil, err
		}
		out := &kycOutput{}
		_, err = s.Review(ctx, id, in.Body.Accept, in.Body.Reason, func(tx *db.Tx, d kyc.Document) error {
			out.Body = kycBody(d)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, kycProblem(err)
	})
}

func ownDocuments(a *API, s *kyc.Service) {
	handle(a, operation{
		id: "list-own-kyc-documents", method: http.MethodGet, path: "/me/affiliate/kyc-documents", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "List your documents", about: "The newest first.", errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, func(ctx context.Context, in *ListInput) (*listOutput[KYCDocument], error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		before, err := in.after(ident.KYCDocument)
		if err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, kyc.Filter{AffiliateID: affiliate, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.KYCDocument, in.Limit, rows, func(d kyc.Document) int64 { return d.ID }, ownKYCBody), nil
	})
	handle(a, operation{
		id: "announce-own-kyc-document", method: http.MethodPost, path: "/me/affiliate/kyc-documents", tag: "My payouts", scope: access.AffiliateSelf,
		status: http.StatusCreated, summary: "Announce a document", about: "Send its file next, to /content of it.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body KYCDocumentRequest }) (*kycOutput, error) {
		affiliate, err := affiliateOf(ctx)
		if err != nil {
			return nil, err
		}
		out := &kycOutput{}
		_, err = s.Announce(ctx, affiliate, in.Body.Country, in.Body.Kind, in.Body.FileName, func(tx *db.Tx, d kyc.Document) error {
			out.Body = ownKYCBody(d)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, kycProblem(err)
	})
	handle(a, operation{
		id: "send-own-kyc-document", method: http.MethodPut, path: "/me/affiliate/kyc-documents/{id}/content", tag: "My payouts", scope: access.AffiliateSelf,
		summary: "Send the file of a document", about: "A whole PDF, JPEG or PNG, as it is. What does something when it is opened, holds another file, or calls itself " +
			"another type is refused; of a picture only its dots are kept. Until the review it can be sent again.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge}, raw: s.MaxBytes(),
	}, func(ctx context.Context, in *struct {
		KYCPath
		ContentType string `header:"Content-Type"`
		RawBody     []byte `contentType:"application/octet-stream"`
	}) (*kycOutput, error) {
		affiliate, err1 := affiliateOf(ctx)
		id, err2 := pathID(ident.KYCDocument, in.ID)
		if err := firstOf(err1, err2); err != nil {
			return nil, err
		}
		d, err := s.Upload(ctx, affiliate, id, in.ContentType, in.RawBody)
		return &kycOutput{ownKYCBody(d)}, kycProblem(err)
	})
}

func kycBody(d kyc.Document) KYCDocument {
	return KYCDocument{
		ID: ident.Format(ident.KYCDocument, d.ID), AffiliateID: ident.Format(ident.Affiliate, d.AffiliateID), Country: d.Country, Kind: d.Kind, State: d.State,
		FileName: d.FileName, ContentType: d.ContentType, Size: d.Size, SHA256: d.SHA256, Reason: d.Reason, ReviewedBy: identOrNone(ident.Person, d.ReviewedBy),
		ReviewedAt: timeOrNil(d.ReviewedAt), CreatedAt: timeOf(d.CreatedAt), UpdatedAt: timeOf(d.UpdatedAt),
	}
}

// ownKYCBody does not tell who reviewed.
func ownKYCBody(d kyc.Document) KYCDocument {
	d.ReviewedBy = 0
	return kycBody(d)
}

func kycProblem(err error) error {
	var in *kyc.InvalidError
	if errors.As(err, &in) {
		return invalid("body."+in.Field, in.Reason)
	}
	var refused *kyc.RefusedError
	if errors.As(err, &refused) {
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "file_refused", Detail: refused.Error()}
	}
	return err
}

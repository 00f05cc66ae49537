package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/wire/ident"
)

// AuditEntry is one change that somebody made.
type AuditEntry struct {
	ID      string          `json:"id" example:"aud_01J8Z0QK5T2VG"`
	At      Time            `json:"at"`
	Actor   AuditActor      `json:"actor"`
	Action  string          `json:"action" example:"program.update"`
	Object  string          `json:"object" example:"prg_01J8Z0QK5T2VG"`
	Before  json.RawMessage `json:"before" doc:"Null: there was nothing. An object of oversized_bytes and sha256 stands for what was too large to keep"`
	After   json.RawMessage `json:"after" doc:"Null: there is nothing now"`
	Reason  string          `json:"reason" example:"agreed by phone"`
	Address string          `json:"address" example:"192.0.2.7" doc:"Of the client; empty for the system's own work"`
}

// AuditActor is who made a change.
type AuditActor struct {
	Kind    audit.ActorKind `json:"kind" enum:"person,token,system"`
	ID      string          `json:"id" example:"per_01J8Z0QK5T2VG" doc:"Of the person or token; empty for the system"`
	Session string          `json:"session_id" example:"ses_01J8Z0QK5T2VG" doc:"Of a person"`
	Name    string          `json:"name" example:"" doc:"Of a token, as it was"`
}

type auditList struct {
	ListInput
	Object  string          `query:"object" maxLength:"64" example:"prg_01J8Z0QK5T2VG"`
	ActorID string          `query:"actor_id" maxLength:"32" example:"per_01J8Z0QK5T2VG" doc:"Of a person or token"`
	Actor   audit.ActorKind `query:"actor_kind" enum:"person,token,system"`
	Action  string          `query:"action" maxLength:"64" example:"program.update"`
	From    Time            `query:"from" doc:"At this time or later"`
	To      Time            `query:"to" doc:"Before this time"`
}

func (in *auditList) filter() (audit.Filter, error) {
	f := audit.Filter{Object: in.Object, ActorKind: in.Actor, Action: in.Action, Limit: in.Limit + 1}
	var err1, err2, err3 error
	if in.ActorID != "" {
		if f.ActorID, err1 = fieldID(ident.Person, "query.actor_id", in.ActorID); err1 == nil {
			f.ActorKind = audit.Person
		} else if id, err := fieldID(ident.Token, "query.actor_id", in.ActorID); err == nil {
			f.ActorID, f.ActorKind, err1 = id, audit.Token, nil
		}
	}
	moment := func(location string, t Time) (time.Time, error) {
		if t == "" {
			return time.Time{}, nil
		}
		ms, err := parseTime(location, t)
		return time.UnixMilli(ms), err
	}
	f.From, err2 = moment("query.from", in.From)
	f.To, err3 = moment("query.to", in.To)
	return f, invalidAll(err1, err2, err3)
}

// Audit registers the operations on the audit log, which can only be read.
func Audit(log *audit.Log) Module {
	return func(a *API) {
		handle(a, operation{
			id: "list-audit-log", method: http.MethodGet, path: "/audit-log", tag: "Audit log", scope: access.AuditRead,
			summary: "List changes", about: "Who changed what, from where; the newest first. Nothing is ever removed.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *auditList) (*listOutput[AuditEntry], error) {
			f, err := in.filter()
			if err != nil {
				return nil, err
			}
			if f.Before, err = in.after(ident.AuditEntry); err != nil {
				return nil, err
			}
			rows, err := log.List(ctx, f)
			if err != nil {
				return nil, err
			}
			return page(ident.AuditEntry, in.Limit, rows, func(r audit.Recorded) int64 { return r.ID }, auditBody), nil
		})
	}
}

func auditBody(r audit.Recorded) AuditEntry {
	body := AuditEntry{
		ID: ident.Format(ident.AuditEntry, r.ID), At: timeOf(r.At), Action: r.Action, Object: r.Object, Reason: r.Reason, Address: r.Actor.Address,
		Before: jsonOrNull(r.Before), After: jsonOrNull(r.After),
		Actor: AuditActor{Kind: r.Actor.Kind, Session: identOrNone(ident.Session, r.Actor.SessionID), Name: r.Actor.Name},
	}
	switch r.Actor.Kind {
	case audit.Person:
		body.Actor.ID = ident.Format(ident.Person, r.Actor.ID)
	case audit.Token:
		body.Actor.ID = ident.Format(ident.Token, r.Actor.ID)
	}
	return body
}

func jsonOrNull(b []byte) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("null")
	}
	return b
}

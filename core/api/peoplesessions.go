package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/wire/ident"
)

// PersonSessionPath names one session of one person.
type PersonSessionPath struct {
	PersonPath
	SessionID string `path:"session_id" example:"ses_01J8Z0QK5T2VG"`
}

// peopleSessionOperations let those who manage people see where somebody is signed in, and end it.
func peopleSessionOperations(a *API, s *account.Service) {
	handle(a, operation{
		id: "list-person-sessions", method: http.MethodGet, path: "/people/{id}/sessions", tag: "People", scope: access.PeopleWrite,
		summary: "List a person's sign-ins", about: "The newest first, 200 at most; without those that have ended.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PersonPath) (*listOutput[Session], error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := s.Person(ctx, id); err != nil {
			return nil, err
		}
		list, err := s.Sessions(ctx, id)
		if err != nil {
			return nil, err
		}
		out, who := &listOutput[Session]{}, principalOf(ctx)
		out.Body.Items = make([]Session, len(list))
		for i, v := range list {
			out.Body.Items[i] = sessionBody(v, who)
		}
		return out, nil
	})
	const alike = "Its access and refresh tokens are refused from the next request on, at other cores within 5 seconds, and streams that it watches end. " +
		"The person may sign in again: suspend who must not. Sessions of owners and finance are ended by owners alone."
	handle(a, operation{
		id: "end-person-session", method: http.MethodPost, path: "/people/{id}/sessions/{session_id}/end", tag: "People", scope: access.PeopleWrite, secondFactor: true,
		status: http.StatusNoContent, summary: "End one of a person's sign-ins", about: alike, errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		PersonSessionPath
		Body PersonReasonRequest
	}) (*struct{}, error) {
		person, err1 := pathID(ident.Person, in.ID)
		session, err2 := pathID(ident.Session, in.SessionID)
		if err := cmp.Or(err1, err2); err != nil {
			return nil, err
		}
		return nil, s.EndSessionOf(ctx, principalOf(ctx), person, session, in.Body.Reason)
	})
	handle(a, operation{
		id: "end-person-sessions", method: http.MethodPost, path: "/people/{id}/sessions/end", tag: "People", scope: access.PeopleWrite, secondFactor: true,
		status: http.StatusNoContent, summary: "End all of a person's sign-ins", about: alike + " Browsers that were known are not known any more.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		PersonPath
		Body PersonReasonRequest
	}) (*struct{}, error) {
		id, err := pathID(ident.Person, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.EndSessionsOf(ctx, principalOf(ctx), id, in.Body.Reason)
	})
}

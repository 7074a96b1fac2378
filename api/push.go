package api

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// pushView is a push subscription without what lets others write to it.
type pushView struct {
	ID            string              `json:"id" example:"phone"`
	Host          string              `json:"host" example:"fcm.googleapis.com"`                 // of its push service
	Types         []string            `json:"types,omitempty" example:"message.received"`        // as they were asked for; left out: message.received
	Conversations []string            `json:"conversations,omitempty" example:"bob@example.net"` // left out: all
	Include       perch.ReaderInclude `json:"include"`
	CreatedAt     perch.Time          `json:"created_at"`

	State         perch.ReaderState `json:"state"`                                               // disabled: nothing is sent any more; PUT enables it again
	Reason        string            `json:"reason,omitempty" enums:"failing,policy,secret_lost"` // why it is disabled
	Failures      int               `json:"failures"`                                            // in a row
	FailingSince  perch.Time        `json:"failing_since"`                                       // null: the last attempt has arrived
	NextAttemptAt perch.Time        `json:"next_attempt_at"`                                     // null: none is planned
	LastAttempt   *pushAttempt      `json:"last_attempt"`                                        // null: there was none
} // @name PushSubscription

// pushAttempt is one delivery to a push service.
type pushAttempt struct {
	At     perch.Time `json:"at"`
	Status int        `json:"status" example:"201"`                                        // of HTTP; 0: there was no answer
	Error  string     `json:"error,omitempty" example:"it answered 429 Too Many Requests"` // left out: the push service has it
} // @name PushAttempt

// pushListAnswer is the answer of GET /v1/push.
type pushListAnswer struct {
	// What browsers subscribe with (applicationServerKey), base64url; empty: the gateway has none just now.
	ApplicationServerKey string     `json:"application_server_key" example:"BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"`
	Items                []pushView `json:"items"`
} // @name PushList

func pushAttemptOf(x perch.ReaderAttempt) *pushAttempt {
	if x.At == 0 {
		return nil
	}
	return &pushAttempt{At: x.At, Status: x.Status, Error: x.Error}
}

func pushOf(r perch.Reader) pushView {
	v := pushView{
		ID: r.ID, Types: r.Spec.Types, Conversations: names(r.Spec.Conversations), Include: r.Spec.Include, CreatedAt: r.Created,
		State: r.State, Reason: r.Why, Failures: r.Failures, FailingSince: r.Since, NextAttemptAt: r.Next, LastAttempt: pushAttemptOf(r.Last),
	}
	if u, err := url.Parse(r.Target.URL); err == nil {
		v.Host = u.Host
	}
	return v
}

// withPush refuses what is about push subscriptions where the operator lets clients have none.
func (a *API) withPush(h handler) http.HandlerFunc {
	return a.withReaders(a.o.PushKey != nil, "push messages (--push)", h)
}

// handlePush lists the push subscriptions of the session.
//
//	@ID				listPush
//	@Summary		List push subscriptions
//	@Description	The key that browsers subscribe with, and the devices that push messages of this session go to, each with its state. Of an endpoint only the host: whoever knows all of it can write to the device. Of a token that is for some conversations only those subscriptions that show no others.
//	@Tags			push
//	@Produce		json
//	@Success		200	{object}	pushListAnswer
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the operator has turned push messages off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/push [get]
//	@Security		BearerAuth
func (a *API) handlePush(w http.ResponseWriter, r *http.Request) error {
	all, err := a.o.Sessions.Readers(r.Context(), accessFrom(r.Context()), perch.PushReader)
	if err != nil {
		return err
	}
	answer := pushListAnswer{ApplicationServerKey: a.o.PushKey(), Items: []pushView{}}
	for _, x := range all {
		answer.Items = append(answer.Items, pushOf(x))
	}
	return writeJSON(w, http.StatusOK, answer)
}

// mayPush reads the {id} of the path. A token without the scope webhooks may do nothing with what another token
// has put: a token that may only read could silence other devices of the account.
func (a *API) mayPush(r *http.Request, by sessions.Access) (string, error) {
	id, err := readerID(r)
	if err != nil || !by.Restricted() || by.Grant.Allows(perch.ScopeWebhooks) {
		return id, err
	}
	all, err := a.o.Sessions.Readers(r.Context(), by, perch.PushReader)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(all, func(x perch.Reader) bool { return x.ID == id }); i >= 0 && all[i].By != by.ID {
		return "", lacks([]perch.Scope{perch.ScopeWebhooks}, "another token has put this subscription: that needs the scope webhooks")
	}
	return id, nil
}

// handlePushDelete ends a push subscription.
//
//	@ID				deletePush
//	@Summary		Delete a push subscription
//	@Description	Nothing is pushed to the device any more, but for a message that is under way. The browser keeps its own subscription.
//	@Tags			push
//	@Param			id	path	string	true	"id of the subscription"
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"another token has put it, and this one lacks the scope webhooks"
//	@Failure		404	{object}	Problem	"there is none that this token may see"
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the operator has turned push messages off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/push/{id} [delete]
//	@Security		BearerAuth
func (a *API) handlePushDelete(w http.ResponseWriter, r *http.Request) error {
	by := accessFrom(r.Context())
	id, err := a.mayPush(r, by)
	if err != nil {
		return err
	}
	err = a.o.Sessions.DeleteReader(r.Context(), by, perch.PushReader, id)
	if err == nil {
		a.auditReader(r, auditPush, by, id, "deleted")
	}
	return done(w, err)
}

// handlePushTest sends one message that stands for no event.
//
//	@ID				testPush
//	@Summary		Test a push subscription
//	@Description	Sends a message of the type test, and waits for what the push service says: that it has it, not that the device got it. It changes nothing: a subscription that is disabled stays so.
//	@Tags			push
//	@Produce		json
//	@Param			id	path		string	true	"id of the subscription"
//	@Success		200	{object}	pushAttempt	"what came of it; with error the message has not arrived"
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"another token has put it, and this one lacks the scope webhooks"
//	@Failure		404	{object}	Problem	"there is none that this token may see"
//	@Failure		422	{object}	Problem
//	@Failure		429	{object}	Problem	"too many deliveries are under way"
//	@Failure		501	{object}	Problem	"the operator has turned push messages off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/push/{id}/test [post]
//	@Security		BearerAuth
func (a *API) handlePushTest(w http.ResponseWriter, r *http.Request) error {
	by := accessFrom(r.Context())
	id, err := a.mayPush(r, by)
	if err != nil {
		return err
	}
	x, err := a.o.Sessions.TestReader(r.Context(), by, perch.PushReader, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, pushAttemptOf(x))
}

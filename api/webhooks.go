package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/perch-im/perch"
)

// webhookView is a webhook without its secret.
type webhookView struct {
	ID            string              `json:"id" example:"bot"`
	URL           string              `json:"url" example:"https://bot.example.org/perch"`
	Types         []string            `json:"types,omitempty" example:"message.*"`               // as they were asked for; left out: all
	Conversations []string            `json:"conversations,omitempty" example:"bob@example.net"` // left out: all
	When          perch.ReaderWhen    `json:"when"`
	Include       perch.ReaderInclude `json:"include"`
	CreatedAt     perch.Time          `json:"created_at"`

	State         perch.ReaderState `json:"state"`                                                    // disabled: nothing is sent any more; PUT enables it again
	Reason        string            `json:"reason,omitempty" enums:"gone,failing,policy,secret_lost"` // why it is disabled
	Cursor        string            `json:"cursor"`                                                   // everything up to it has arrived, or is not for this webhook
	Failures      int               `json:"failures"`                                                 // in a row
	FailingSince  perch.Time        `json:"failing_since"`                                            // null: the last attempt has arrived
	NextAttemptAt perch.Time        `json:"next_attempt_at"`                                          // null: none is planned
	LastAttempt   *webhookAttempt   `json:"last_attempt"`
} // @name Webhook

// webhookAttempt is one call of a webhook.
type webhookAttempt struct {
	At     perch.Time `json:"at"`
	Status int        `json:"status" example:"204"`                                           // of HTTP; 0: there was no answer
	Error  string     `json:"error,omitempty" example:"it has not answered within 5 seconds"` // left out: the call has arrived
} // @name WebhookAttempt

// webhookListAnswer is the answer of GET /v1/webhooks.
type webhookListAnswer struct {
	Items []webhookView `json:"items"`
} // @name WebhookList

func attemptOf(x perch.ReaderAttempt) *webhookAttempt {
	if x.At == 0 {
		return nil
	}
	return &webhookAttempt{At: x.At, Status: x.Status, Error: x.Error}
}

func webhookOf(r perch.Reader) webhookView {
	return webhookView{
		ID: r.ID, URL: r.Target.URL, Types: r.Spec.Types, Conversations: names(r.Spec.Conversations), When: r.Spec.When, Include: r.Spec.Include, CreatedAt: r.Created,
		State: r.State, Reason: r.Why, Cursor: r.Cursor.String(), Failures: r.Failures, FailingSince: r.Since, NextAttemptAt: r.Next, LastAttempt: attemptOf(r.Last),
	}
}

// withWebhooks refuses what is about webhooks where the operator lets clients have none.
func (a *API) withWebhooks(h handler) http.HandlerFunc {
	return a.withReaders(a.o.Webhooks, "webhooks (--webhooks)", h)
}

// withReaders refuses requests about readers of the log where they are off; what names them, with the setting.
func (a *API) withReaders(on bool, what string, h handler) http.HandlerFunc {
	return a.wrap(func(w http.ResponseWriter, r *http.Request) error {
		if !on {
			return perch.Errorf(perch.KindFeatureUnsupported, "the operator of this gateway does not let clients have %s", what)
		}
		if _, err := queryOf(r); err != nil {
			return err
		}
		w.Header()["Cache-Control"] = noStore
		return h(w, r)
	})
}

// handleWebhooks lists the webhooks of the session.
//
//	@ID				listWebhooks
//	@Summary		List webhooks
//	@Description	The servers that events of this session are sent to, each with its state. Of a token that is for some conversations only those webhooks that show no others.
//	@Tags			webhooks
//	@Produce		json
//	@Success		200	{object}	webhookListAnswer
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the operator has turned webhooks off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/webhooks [get]
//	@Security		BearerAuth
func (a *API) handleWebhooks(w http.ResponseWriter, r *http.Request) error {
	all, err := a.webhooksFor(r.Context())
	if err != nil {
		return err
	}
	answer := webhookListAnswer{Items: []webhookView{}}
	for _, x := range all {
		answer.Items = append(answer.Items, webhookOf(x))
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (a *API) webhooksFor(ctx context.Context) ([]perch.Reader, error) {
	return a.o.Sessions.Readers(ctx, accessFrom(ctx), perch.WebhookReader)
}

// handleWebhookShow shows one webhook.
//
//	@ID			getWebhook
//	@Summary	Show a webhook
//	@Tags		webhooks
//	@Produce	json
//	@Param		id	path		string	true	"id of the webhook"
//	@Success	200	{object}	webhookView
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem
//	@Failure	404	{object}	Problem	"there is none that this token may see"
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the operator has turned webhooks off"
//	@Failure	503	{object}	Problem
//	@Router		/v1/webhooks/{id} [get]
//	@Security	BearerAuth
func (a *API) handleWebhookShow(w http.ResponseWriter, r *http.Request) error {
	id, err := readerID(r)
	if err != nil {
		return err
	}
	all, err := a.webhooksFor(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(x perch.Reader) bool { return x.ID == id })
	if i < 0 {
		return perch.Errorf(perch.KindNotFound, "there is no webhook of this id, or the token may not see it")
	}
	return writeJSON(w, http.StatusOK, webhookOf(all[i]))
}

// handleWebhookDelete ends a webhook.
//
//	@ID				deleteWebhook
//	@Summary		Delete a webhook
//	@Description	Nothing is sent to it any more, but for a call that is under way. Its secret is forgotten.
//	@Tags			webhooks
//	@Param			id	path	string	true	"id of the webhook"
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		404	{object}	Problem	"there is none that this token may see"
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the operator has turned webhooks off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/webhooks/{id} [delete]
//	@Security		BearerAuth
func (a *API) handleWebhookDelete(w http.ResponseWriter, r *http.Request) error {
	id, err := readerID(r)
	if err != nil {
		return err
	}
	by := accessFrom(r.Context())
	err = a.o.Sessions.DeleteReader(r.Context(), by, perch.WebhookReader, id)
	if err == nil {
		a.auditReader(r, auditWebhook, by, id, "deleted")
	}
	return done(w, err)
}

// handleWebhookTest makes one call without events.
//
//	@ID				testWebhook
//	@Summary		Test a webhook
//	@Description	Makes one call of the type test, without events, and waits for its outcome. It changes nothing: a webhook that is disabled stays so, and what waits to be sent still waits.
//	@Tags			webhooks
//	@Produce		json
//	@Param			id	path		string	true	"id of the webhook"
//	@Success		200	{object}	webhookAttempt	"what came of it; with error the call has not arrived"
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		404	{object}	Problem	"there is none that this token may see"
//	@Failure		422	{object}	Problem
//	@Failure		429	{object}	Problem	"too many calls are under way"
//	@Failure		501	{object}	Problem	"the operator has turned webhooks off"
//	@Failure		503	{object}	Problem
//	@Router			/v1/webhooks/{id}/test [post]
//	@Security		BearerAuth
func (a *API) handleWebhookTest(w http.ResponseWriter, r *http.Request) error {
	id, err := readerID(r)
	if err != nil {
		return err
	}
	x, err := a.o.Sessions.TestReader(r.Context(), accessFrom(r.Context()), perch.WebhookReader, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, attemptOf(x))
}

// replayRequest is the body of POST /v1/webhooks/{id}/replay.
type replayRequest struct {
	Since string `json:"since" example:"k3m9x2c7-42" need:"yes"` // a cursor of this session: what follows it is sent again
} // @name WebhookReplayRequest

// handleWebhookReplay moves the cursor of a webhook back.
//
//	@ID				replayWebhook
//	@Summary		Replay to a webhook
//	@Description	What follows a cursor is sent again, as far as the log still has it, in calls with other webhook-ids; the next call says reset: expired when the log does not reach back so far. A webhook that is disabled stays so.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string			true	"id of the webhook"
//	@Param			body	body		replayRequest	true	"from where"
//	@Success		200		{object}	webhookView
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem
//	@Failure		404		{object}	Problem	"there is none that this token may see"
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the operator has turned webhooks off"
//	@Failure		503		{object}	Problem
//	@Router			/v1/webhooks/{id}/replay [post]
//	@Security		BearerAuth
func (a *API) handleWebhookReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := readerID(r)
	if err != nil {
		return err
	}
	var req replayRequest
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	by := accessFrom(r.Context())
	x, err := a.o.Sessions.ReplayReader(r.Context(), by, id, req.Since)
	if err != nil {
		return err
	}
	a.auditReader(r, auditWebhook, by, id, "replayed")
	return writeJSON(w, http.StatusOK, webhookOf(x))
}

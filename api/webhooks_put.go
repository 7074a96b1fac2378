package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// webhookRequest is the body of PUT /v1/webhooks/{id}.
type webhookRequest struct {
	// Where calls go: https, at most 2,000 bytes, without a user and a fragment, at a public address or one that the operator allows.
	URL string `json:"url" example:"https://bot.example.org/perch" need:"yes"`
	// Exact names, or groups such as message.*, of the events that are kept; left out: all that the token may see.
	Types []string `json:"types" example:"message.*"`
	// The only conversations whose messages are sent; left out: all that the token is for.
	Conversations []string `json:"conversations" example:"bob@example.net"`
	// detached: only what comes while no event stream is open.
	When perch.ReaderWhen `json:"when"`
	// ids: of each event its id, type and time, and what names its message and conversation.
	Include perch.ReaderInclude `json:"include"`
	// Makes another secret; calls are signed with the one before as well for a while.
	RotateSecret bool `json:"rotate_secret"`
} // @name WebhookRequest

// webhookAnswer is a webhook that was put, and its secret where it is new.
type webhookAnswer struct {
	Secret string `json:"secret,omitempty" example:"whsec_..."` // shown once: when the webhook is made, and when its secret is rotated
	webhookView
} // @name PutWebhook

// handleWebhookPut makes a webhook, or puts it anew.
//
//	@ID				putWebhook
//	@Summary		Put a webhook
//	@Description	Events of this session are sent to a server from now on, in the order of the log and at least once, signed by Standard Webhooks. It shows no more than the token of the request may see, and ends with that token. Putting an id again changes it, keeps its cursor and its secret, and enables it where it was disabled. A session has at most 10.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string			true	"chosen by the client: 1 to 64 of A-Z a-z 0-9 - _"
//	@Param			body	body		webhookRequest	true	"what is sent, and where"
//	@Success		200		{object}	webhookAnswer	"it was there, and is as the body says now"
//	@Success		201		{object}	webhookAnswer	"it was made"
//	@Header			201		{string}	Location	"its address"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the token may not see that, or the id is taken by one that shows more"
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem	"the session has too many"
//	@Failure		501		{object}	Problem	"the operator has turned webhooks off"
//	@Failure		503		{object}	Problem
//	@Router			/v1/webhooks/{id} [put]
//	@Security		BearerAuth
func (a *API) handleWebhookPut(w http.ResponseWriter, r *http.Request) error {
	id, err := readerID(r)
	if err != nil {
		return err
	}
	var req webhookRequest
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	by := accessFrom(r.Context())
	n := sessions.NewReader{Kind: perch.WebhookReader, ID: id, Target: perch.ReaderTarget{URL: req.URL}, Rotate: req.RotateSecret}
	if n.Spec, err = req.spec(by); err != nil {
		return err
	}
	made, secret, created, err := a.o.Sessions.PutReader(r.Context(), by, n)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/webhooks/"+id)
	}
	a.auditReader(r, auditWebhook, by, id, "put")
	return writeJSON(w, status, webhookAnswer{secret.Reveal(), webhookOf(made)})
}

// spec is what is to be sent. What the token may not see is refused where it is named.
func (req *webhookRequest) spec(by sessions.Access) (s perch.ReaderSpec, err error) {
	if req.URL == "" {
		return s, perch.Invalid("/url", "is needed: where calls go, such as https://bot.example.org/perch")
	}
	s.When, s.Include = req.When, req.Include
	setDefault(&s.When, perch.ReadAlways)
	setDefault(&s.Include, perch.IncludeFull)
	switch {
	case s.When != perch.ReadAlways && s.When != perch.ReadDetached:
		return s, perch.Invalid("/when", "must be always or detached")
	case s.Include != perch.IncludeFull && s.Include != perch.IncludeIDs:
		return s, perch.Invalid("/include", "must be full or ids")
	}
	if s.Types, err = loggedTypes(req.Types, by.Grant); err == nil {
		s.Conversations, err = conversationsWithin(req.Conversations, maxConversations, by)
	}
	return s, err
}

// loggedTypes checks the types of what is sent from the log: names and groups as a stream has them, of
// events that are kept there. nil: all.
func loggedTypes(list []string, of perch.Grant) (types []string, err error) {
	if list != nil && len(list) == 0 {
		return nil, perch.Invalid("/types", "names none: leave it out for all, or name some")
	}
	for i, name := range list {
		at := pointerAt("/types", i)
		one, err := typesOf(at, []string{name})
		if err != nil {
			return nil, err
		}
		if len(one) != 1 || one[0] != name {
			return nil, perch.Invalid(at, "must be one name, or a group such as message.*")
		}
		switch logged, shown := logs(name, of); {
		case !logged:
			return nil, perch.Invalid(at, "%s is in no log: only event streams have it", quoteShort(name))
		case !shown:
			return nil, wider(at, "the token of this request may not see these events")
		case !slices.Contains(types, name):
			types = append(types, name)
		}
	}
	if len(types) > maxTypes {
		return nil, perch.Invalid("/types", "has more than %d names", maxTypes)
	}
	return types, nil
}

// logs reports whether a name or group of types has some that are kept in the log, and whether a grant shows
// one of these.
func logs(name string, of perch.Grant) (logged, shown bool) {
	group, isGroup := strings.CutSuffix(name, "*")
	for known := range filterable {
		t := perch.EventType(known)
		if !t.Durable() || known != name && (!isGroup || !strings.HasPrefix(known, group)) {
			continue
		}
		logged = true
		shown = shown || of.Shows(t)
	}
	return logged, shown
}

// readerID reads the {id} of the path.
func readerID(r *http.Request) (string, error) {
	id, err := pathText(r, "id")
	if err != nil {
		return "", err
	}
	ok := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	}
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return !ok(c) }) {
		return "", perch.Invalid("{id}", "must be 1 to 64 of A-Z a-z 0-9 - _")
	}
	return id, nil
}

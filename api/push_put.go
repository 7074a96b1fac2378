package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// pushKeys are those of a subscription, in base64url with padding or without.
type pushKeys struct {
	P256DH string `json:"p256dh" need:"yes"` // a point of P-256, uncompressed: 65 bytes
	Auth   string `json:"auth" need:"yes"`   // 16 bytes
} // @name PushKeys

// pushRequest is the body of PUT /v1/push/{id}: what PushSubscription.toJSON gives, and what is wanted.
type pushRequest struct {
	// Where the push service takes messages for the device: https, at a public address or one that the operator allows.
	Endpoint string    `json:"endpoint" example:"https://fcm.googleapis.com/fcm/send/cAbc" need:"yes"`
	Keys     *pushKeys `json:"keys" need:"yes"`
	// As browsers give it. Not used: a push service says itself when a subscription has ended.
	ExpirationTime *float64 `json:"expirationTime"`
	// Exact names, or groups such as message.*, of the events that are kept; left out: message.received.
	Types []string `json:"types" example:"message.received"`
	// The only conversations; left out: all that the token is for.
	Conversations []string `json:"conversations" example:"bob@example.net"`
	// full: with the name of the conversation and the text, cut to fit; ids: without.
	Include perch.ReaderInclude `json:"include"`
} // @name PushRequest

// handlePushPut makes a push subscription, or puts it anew.
//
//	@ID				putPush
//	@Summary		Put a push subscription
//	@Description	What comes while no event stream of the session is open goes to the device, encrypted for it alone (RFC 8291): one message for each conversation, the newest in place of those before. It shows no more than the token of the request may see, and ends with that token. Putting an id again changes it, and enables it where it was disabled. A session has at most 20. Endpoints of UnifiedPush are put as they are.
//	@Tags			push
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string		true	"chosen by the client, one for each device: 1 to 64 of A-Z a-z 0-9 - _"
//	@Param			body	body		pushRequest	true	"the subscription of the device, and what is wanted"
//	@Success		200		{object}	pushView	"it was there, and is as the body says now"
//	@Success		201		{object}	pushView	"it was made"
//	@Header			201		{string}	Location	"its address"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the token may not see that, or another token has put the id"
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem	"the session has too many"
//	@Failure		501		{object}	Problem	"the operator has turned push messages off"
//	@Failure		503		{object}	Problem
//	@Router			/v1/push/{id} [put]
//	@Security		BearerAuth
func (a *API) handlePushPut(w http.ResponseWriter, r *http.Request) error {
	by := accessFrom(r.Context())
	id, err := a.mayPush(r, by)
	if err != nil {
		return err
	}
	var req pushRequest
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	n := sessions.NewReader{Kind: perch.PushReader, ID: id}
	if n.Target, err = req.target(); err != nil {
		return err
	}
	if n.Spec, err = req.spec(by); err != nil {
		return err
	}
	made, _, created, err := a.o.Sessions.PutReader(r.Context(), by, n)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/push/"+id)
	}
	a.auditReader(r, auditPush, by, id, "put")
	return writeJSON(w, status, pushOf(made))
}

// target is where messages go; what is in it is judged by who sends them.
func (req *pushRequest) target() (t perch.ReaderTarget, err error) {
	switch {
	case req.Endpoint == "":
		return t, perch.Invalid("/endpoint", "is needed: that of the subscription of the device")
	case req.Keys == nil:
		return t, perch.Invalid("/keys", "is needed: p256dh and auth of the subscription of the device")
	}
	return perch.ReaderTarget{URL: req.Endpoint, P256DH: req.Keys.P256DH, Auth: req.Keys.Auth}, nil
}

func (req *pushRequest) spec(by sessions.Access) (s perch.ReaderSpec, err error) {
	s.When, s.Include = perch.ReadDetached, req.Include
	setDefault(&s.Include, perch.IncludeFull)
	if s.Include != perch.IncludeFull && s.Include != perch.IncludeIDs {
		return s, perch.Invalid("/include", "must be full or ids")
	}
	if s.Types, err = loggedTypes(req.Types, by.Grant); err == nil {
		s.Conversations, err = conversationsWithin(req.Conversations, maxConversations, by)
	}
	return s, err
}

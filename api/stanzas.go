package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// stanzaRate is how many stanzas a session may send, answers to others aside: of them there are no more than
// requests. The node that has the session counts, so the count begins anew when it moves to another one.
var stanzaRate = Rate{PerSecond: 20.0 / 60, Burst: 20}

// stanzaRequest is the body of POST /v1/stanzas.
type stanzaRequest struct {
	XML string `json:"xml" example:"<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>" need:"yes"` // one stanza, of at most 64 KiB
} // @name StanzaRequest

// stanzaAnswer has the answer to an iq.
type stanzaAnswer struct {
	XML string `json:"xml,omitempty"` // of an iq, with the id of the request; left out for a message or presence
} // @name StanzaAnswer

// handleStanza sends a stanza that the client has written.
//
//	@ID				sendStanza
//	@Summary		Send a stanza
//	@Description	One message, directed presence, or iq of type get or set, for what this API has no resource for. It is read, judged and written anew; what the gateway itself works by is 403. Of an iq the result is returned, and an error answer is a problem with its condition. An iq of type result or error answers a request that came as an event of type stanza, by its id and from. Of a message nothing is kept, and nothing is sent again. Only where the operator lets clients do so, as stanzas in features of hello says; 20 a minute, answers aside.
//	@Tags			stanzas
//	@Accept			json
//	@Produce		json
//	@Param			body	body		stanzaRequest	true	"the stanza"
//	@Success		200		{object}	stanzaAnswer	"the answer to an iq"
//	@Success		202		{object}	stanzaAnswer	"a message, presence or answer is on its way"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"not for clients to send, or refused by the one who was asked"
//	@Failure		404		{object}	Problem	"no request with this id, and from this address, waits for an answer"
//	@Failure		409		{object}	Problem
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem
//	@Failure		501		{object}	Problem	"not on this gateway, or not on this upstream"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/stanzas [post]
//	@Security		BearerAuth
func (a *API) handleStanza(w http.ResponseWriter, r *http.Request) error {
	if !a.o.RawStanzas {
		return perch.Errorf(perch.KindFeatureUnsupported, "the operator of this gateway does not let clients write stanzas (--raw-stanzas)")
	}
	var req stanzaRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	if req.XML == "" {
		return perch.Invalid("/xml", "is needed: one message, presence or iq")
	}
	s := sessionFrom(r.Context())
	answer, err := sessions.StanzasOf(s).Send(r.Context(), req.XML, func() error { return a.stanzas.takeBeside(w, string(s.ID())) })
	if err != nil {
		return err
	}
	status := http.StatusOK
	if answer == "" {
		status = http.StatusAccepted
	}
	return writeJSON(w, status, stanzaAnswer{answer})
}

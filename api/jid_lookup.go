package api

import (
	"net/http"
	"strings"

	"github.com/perch-im/perch"
)

// jidAnswer is an account id and its JID.
type jidAnswer struct {
	Account string    `json:"account"`
	JID     perch.JID `json:"jid"`
} // @name JIDAnswer

// handleJIDLookup finds the JID of an account id. The roster has JIDs only.
//
//	@ID			lookupJID
//	@Summary	Look up the JID of an account
//	@Tags		buddies
//	@Produce	json
//	@Param		account	query		string	true	"an e-mail style id, such as mary@contoso.com"
//	@Success	200		{object}	jidAnswer
//	@Failure	401		{object}	Problem
//	@Failure	404		{object}	Problem
//	@Failure	422		{object}	Problem
//	@Failure	501		{object}	Problem	"the upstream has no lookup"
//	@Failure	503		{object}	Problem
//	@Failure	504		{object}	Problem
//	@Router		/v1/jids [get]
//	@Security	BearerAuth
func (a *API) handleJIDLookup(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "account")
	if err != nil {
		return err
	}
	account := q.Get("account")
	if err := checkAccount("?account", account); err != nil {
		return err
	}
	jid, err := sessionFrom(r.Context()).LookupJID(r.Context(), account)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, jidAnswer{Account: account, JID: jid})
}

// checkAccount checks the form of an account id; only the upstream knows whether there is such an
// account.
func checkAccount(pointer, account string) error {
	local, domain, ok := strings.Cut(account, "@")
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") || len(account) > 320 ||
		strings.ContainsAny(account, " \t\r\n/<>\"'&") {
		return perch.Invalid(pointer, "must be an account id such as mary@contoso.com")
	}
	return nil
}

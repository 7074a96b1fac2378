package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
	"github.com/perch-im/perch/sessions"
)

// buddyItem is a buddy, with its presence when that was asked for.
type buddyItem struct {
	perch.Buddy
	Presence *perch.Presence `json:"presence,omitempty"`
} // @name Buddy

// buddyList is a page of the roster, sorted by the normal form of the JID.
type buddyList struct {
	Items []buddyItem `json:"items"`
	Next  *string     `json:"next"`
} // @name BuddyList

// AppendJSON appends i as encoding/json writes it, but its groups are never null.
func (i buddyItem) AppendJSON(b []byte) []byte {
	if i.Groups == nil {
		i.Groups = []string{}
	}
	b = i.Buddy.AppendJSON(b)
	if i.Presence == nil {
		return b
	}
	b = append(b[:len(b)-1], `,"presence":`...)
	return append(i.Presence.AppendJSON(b), '}')
}

// buddyPage is a buddyList as the session gives it.
type buddyPage struct {
	items []sessions.BuddyItem
	next  string // "": there is none
}

// AppendJSON appends p as encoding/json writes a buddyList.
func (p buddyPage) AppendJSON(b []byte) []byte {
	b = append(b, `{"items":[`...)
	for i := range p.items {
		if i > 0 {
			b = append(b, ',')
		}
		b = buddyItem(p.items[i]).AppendJSON(b)
	}
	if b = append(b, `],"next":`...); p.next == "" {
		return append(b, "null}"...)
	}
	return append(jsonappend.String(b, p.next), '}')
}

// buddyRequest is the body of POST /v1/buddies: exactly one of JID and Account.
type buddyRequest struct {
	JID     string   `json:"jid" example:"bob@example.net"`
	Account string   `json:"account" example:"bob@contoso.com"`
	Name    string   `json:"name"`
	Groups  []string `json:"groups"`
	Message string   `json:"message"`
	Nick    string   `json:"nick"`
	Mutual  *bool    `json:"mutual"` // accept their own request automatically; true when left out
} // @name BuddyRequest

// buddyPatch changes the fields that are there (RFC 7396, without removing any).
type buddyPatch struct {
	Name   *string   `json:"name"`
	Groups *[]string `json:"groups"`
} // @name BuddyPatch

// handleBuddies lists the roster, from the cache.
//
//	@ID			listBuddies
//	@Summary	List buddies
//	@Tags		buddies
//	@Produce	json
//	@Param		group	query		string	false	"only buddies in this group"
//	@Param		q		query		string	false	"only buddies with this text in the name or JID"
//	@Param		limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param		cursor	query		string	false	"next of the page before"
//	@Param		include	query		string	false	"presence"	Enums(presence)
//	@Success	200		{object}	buddyList
//	@Header		200		{string}	ETag	"of this page"
//	@Header		200		{string}	Link	"rel=next"
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Router		/v1/buddies [get]
//	@Security	BearerAuth
func (a *API) handleBuddies(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "group", "q", "limit", "cursor", "include")
	if err != nil {
		return err
	}
	p, err := pageOf(q)
	if err != nil {
		return err
	}
	withPresence, err := includesPresence(q)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	found, more, err := s.BuddyPage(sessions.BuddyQuery{After: p.after, Limit: p.limit, Match: matching(q), Presence: withPresence})
	if err != nil {
		return err
	}
	page := buddyPage{items: found}
	if more {
		page.next = makeCursor(string(found[len(found)-1].JID.Key()))
		linkPage(w, r, "next", map[string]string{"cursor": page.next})
	}
	return writeTaggedAppended(w, r, page)
}

func includesPresence(q url.Values) (bool, error) {
	if !q.Has("include") {
		return false, nil
	}
	if q.Get("include") != "presence" {
		return false, perch.Invalid("?include", "must be presence")
	}
	return true, nil
}

// matching is the filter of the query; nil: there is none.
func matching(q url.Values) func(*perch.Buddy) bool {
	group, text := q.Get("group"), strings.ToLower(q.Get("q"))
	if !q.Has("group") && text == "" {
		return nil
	}
	return func(b *perch.Buddy) bool {
		if q.Has("group") && !slices.Contains(b.Groups, group) {
			return false
		}
		return text == "" || strings.Contains(strings.ToLower(b.Name), text) || strings.Contains(strings.ToLower(string(b.JID)), text)
	}
}

func itemOf(b perch.Buddy) buddyItem {
	item := buddyItem{Buddy: b}
	if item.Groups == nil {
		item.Groups = []string{}
	}
	return item
}

// itemWith is a buddy, with its presence unless it has just been removed.
func itemWith(s *sessions.Session, b perch.Buddy, withPresence bool) (buddyItem, error) {
	item := itemOf(b)
	if withPresence {
		p, err := s.Presence(b.JID)
		if err == nil {
			item.Presence = &p
		} else if perch.KindOf(err) != perch.KindItemNotFound {
			return item, err
		}
	}
	return item, nil
}

// handleBuddyAdd adds a buddy and asks for a subscription.
//
//	@ID				addBuddy
//	@Summary		Add a buddy
//	@Description	By JID, or by an account id that is looked up to its JID first. Sets the roster item, then sends the subscription request. Adding is mutual: their own request is accepted automatically, now if it is pending or when it arrives, without an invitation, until they decline or the buddy is removed. With mutual=false it becomes an invitation like any other.
//	@Tags			buddies
//	@Accept			json
//	@Produce		json
//	@Param			body	body		buddyRequest	true	"the buddy"
//	@Success		200		{object}	perch.Buddy		"the buddy was in the roster already"
//	@Success		201		{object}	perch.Buddy
//	@Header			201		{string}	Location	"the buddy"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the account blocks the address"
//	@Failure		404		{object}	Problem	"no such account"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no lookup"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/buddies [post]
//	@Security		BearerAuth
func (a *API) handleBuddyAdd(w http.ResponseWriter, r *http.Request) error {
	var req buddyRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	want, err := req.checked(s)
	if err != nil {
		return err
	}
	b, created, err := s.AddBuddy(r.Context(), want)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/buddies/"+url.PathEscape(string(b.JID)))
	}
	return writeJSON(w, status, itemOf(b))
}

func (req buddyRequest) checked(s *sessions.Session) (sessions.NewBuddy, error) {
	b := sessions.NewBuddy{Account: req.Account, Name: req.Name, Groups: req.Groups, Message: req.Message, Nick: req.Nick,
		OneSided: req.Mutual != nil && !*req.Mutual}
	if (req.JID == "") == (req.Account == "") {
		return b, &perch.Error{Kind: perch.KindValidation, Detail: "exactly one of jid and account is needed",
			Fields: []perch.FieldError{{Pointer: "/jid", Detail: "this, or account"}, {Pointer: "/account", Detail: "this, or jid"}}}
	}
	var err error
	if req.JID != "" {
		b.JID, err = accountOf(s, "/jid", req.JID)
	} else {
		err = checkAccount("/account", req.Account)
	}
	if err != nil {
		return b, err
	}
	if len(req.Message) > 1024 {
		return b, perch.Invalid("/message", "must have at most 1024 bytes")
	}
	if err := oneLine("/nick", req.Nick, 256); err != nil {
		return b, err
	}
	return b, checkItem(&req.Name, &req.Groups)
}

// checkItem checks the name and the groups of a roster item (RFC 6121, 2.1.2.4 and 2.1.2.6); nil
// was left out.
func checkItem(name *string, groups *[]string) error {
	if name != nil {
		if err := oneLine("/name", *name, 1023); err != nil {
			return err
		}
	}
	if groups == nil {
		return nil
	}
	if len(*groups) > 100 {
		return perch.Invalid("/groups", "must have at most 100 entries")
	}
	for i, g := range *groups {
		at := "/groups/" + strconv.Itoa(i)
		if g == "" {
			return perch.Invalid(at, "must not be empty")
		}
		if slices.Contains((*groups)[:i], g) {
			return perch.Invalid(at, "duplicate group")
		}
		if err := oneLine(at, g, 256); err != nil {
			return err
		}
	}
	return nil
}

// handleBuddyShow gives one buddy, from the cache.
//
//	@ID			getBuddy
//	@Summary	One buddy
//	@Tags		buddies
//	@Produce	json
//	@Param		jid		path		string	true	"bare JID, percent-encoded"
//	@Param		include	query		string	false	"presence"	Enums(presence)
//	@Success	200		{object}	buddyItem
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Router		/v1/buddies/{jid} [get]
//	@Security	BearerAuth
func (a *API) handleBuddyShow(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "include")
	if err != nil {
		return err
	}
	withPresence, err := includesPresence(q)
	if err != nil {
		return err
	}
	jid, err := pathJID(r)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	b, err := s.Buddy(jid)
	if err != nil {
		return err
	}
	item, err := itemWith(s, b, withPresence)
	if err != nil {
		return err
	}
	return writeTaggedAppended(w, r, item)
}

// handleBuddyPatch renames a buddy or changes its groups.
//
//	@ID			updateBuddy
//	@Summary	Rename a buddy, change its groups
//	@Tags		buddies
//	@Accept		json
//	@Produce	json
//	@Param		jid		path		string		true	"bare JID, percent-encoded"
//	@Param		body	body		buddyPatch	true	"what to change"
//	@Success	200		{object}	perch.Buddy
//	@Failure	400		{object}	Problem
//	@Failure	401		{object}	Problem
//	@Failure	404		{object}	Problem
//	@Failure	422		{object}	Problem
//	@Failure	501		{object}	Problem	"the roster of this upstream cannot be edited"
//	@Failure	503		{object}	Problem
//	@Router		/v1/buddies/{jid} [patch]
//	@Security	BearerAuth
func (a *API) handleBuddyPatch(w http.ResponseWriter, r *http.Request) error {
	var req buddyPatch
	jid, err := jidRequest(r, &req)
	if err != nil {
		return err
	}
	if req.Name == nil && req.Groups == nil {
		return &perch.Error{Kind: perch.KindValidation, Detail: "name or groups is needed",
			Fields: []perch.FieldError{{Pointer: "/name", Detail: "this, or groups"}, {Pointer: "/groups", Detail: "this, or name"}}}
	}
	if err := checkItem(req.Name, req.Groups); err != nil {
		return err
	}
	b, err := sessionFrom(r.Context()).UpdateBuddy(r.Context(), jid, req.Name, req.Groups)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, itemOf(b))
}

// handleBuddyRemove removes a buddy and with it both subscriptions.
//
//	@ID			removeBuddy
//	@Summary	Remove a buddy
//	@Tags		buddies
//	@Param		jid	path	string	true	"bare JID, percent-encoded"
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the roster of this upstream cannot be edited"
//	@Failure	503	{object}	Problem
//	@Router		/v1/buddies/{jid} [delete]
//	@Security	BearerAuth
func (a *API) handleBuddyRemove(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathJID(r)
	if err != nil {
		return err
	}
	return done(w, sessionFrom(r.Context()).RemoveBuddy(r.Context(), jid))
}

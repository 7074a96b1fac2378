package ledger

import (
	"context"
	"net/http"
	"net/url"
)

// archiveRead is one reading of the archive of an account, conversation by conversation.
type archiveRead struct {
	account *account
	names   map[string]string
	whole   map[viewKey]*shownMessage // of pages, or asked for one by one
	none    map[viewKey]bool          // asked for, and there is no such message
	items   func(w *wireMessage)      // is called for each message
}

func newArchiveRead(a *account, names map[string]string, items func(*wireMessage)) *archiveRead {
	return &archiveRead{account: a, names: names, whole: map[viewKey]*shownMessage{}, none: map[viewKey]bool{}, items: items}
}

// read reads a conversation from a time on, page by page, and merges what the pages have. False: not
// yet.
func (r *archiveRead) read(ctx context.Context, peer, since string) bool {
	q := url.Values{"with": {peer}, "start": {since}, "limit": {"200"}}
	for {
		got, err := r.account.call(ctx, http.MethodGet, "/v1/archive?"+q.Encode(), "", nil)
		var page struct {
			Items     []wireMessage
			Relations []wireMessage
			Next      string
		}
		if err != nil || got.status != http.StatusOK || got.decode(&page) != nil {
			return false
		}
		for i := range page.Items {
			w := &page.Items[i]
			w.ID = w.MessageID
			r.items(w)
			r.whole[viewKey{peer, w.Ref}] = &shownMessage{w.merged(r.names), w.ID, true}
		}
		for i := range page.Relations {
			if !r.relation(ctx, peer, &page.Relations[i]) {
				return false
			}
		}
		if page.Next == "" || page.Next == q.Get("after") {
			return true
		}
		q.Set("after", page.Next)
	}
}

// relation takes what is said of a message that is not on the page: it is on an earlier one, or the
// gateway is asked for it.
func (r *archiveRead) relation(ctx context.Context, peer string, w *wireMessage) bool {
	k := viewKey{peer, w.Relation.Ref}
	m := r.whole[k]
	switch {
	case r.none[k], m != nil && !m.known:
		return true // asked for, and so it has all that there was
	case m == nil:
		return r.single(ctx, k)
	}
	kind := map[string]string{"edit": relationEdit, "retraction": relationRetract, "reactions": relationReact}[w.Relation.Kind]
	m.apply(nameOf(r.names, w.From), effect(kind, w.Body, w.Relation.Emojis))
	return true
}

// single asks for one message. What there is none of, is left as it is: it was said of nothing.
func (r *archiveRead) single(ctx context.Context, k viewKey) bool {
	got, err := r.account.call(ctx, http.MethodGet, messagesOf(k.peer)+url.PathEscape(k.ref), "", nil)
	if err == nil && got.status == http.StatusNotFound {
		r.none[k] = true
		return true
	}
	var w wireMessage
	if err != nil || got.status != http.StatusOK || got.decode(&w) != nil {
		return false
	}
	r.whole[k] = &shownMessage{merged: w.merged(r.names), id: w.ID}
	return true
}

// pages takes what was read after a reset, but for what events have told of since then.
func (v *view) pages(read map[viewKey]*shownMessage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k, w := range read {
		m := v.at(k, w.id)
		m.known = m.known || w.known
		if v.told[k].text || m.retracted || !w.retracted && w.edits < m.edits {
			continue
		}
		newer := m.reactions
		if m.merged = w.merged; v.told[k].reactions && !w.retracted {
			m.reactions = newer
		}
	}
}

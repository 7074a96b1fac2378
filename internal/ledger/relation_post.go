package ledger

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// takenBack is what the gateway says of a message that is no more.
const takenBack = "was taken back"

// relationPosts are the messages that an account may correct or take back, and how many relations it
// has sent.
type relationPosts struct {
	list []ownMessage
	said int
}

// ownMessage is a message that an account has sent.
type ownMessage struct {
	message
	to      person
	id, ref string
}

// own notes one.
func (r *relationPosts) own(m ownMessage) {
	if r.list = append(r.list, m); len(r.list) > recentMost {
		r.list = r.list[1:]
	}
}

// relate says something of a message, two times of three: of an own one, or of one that a client of
// the account has.
func (p *poster) relate(ctx context.Context) {
	switch p.random.IntN(6) {
	case 0, 1:
		p.relateOwn(ctx)
	case 2, 3:
		if m, ok := p.account.seen.pick(p.random.IntN, ""); ok {
			set := []string{}
			if p.random.IntN(8) > 0 {
				set = append(set, emojis[p.random.IntN(len(emojis))])
			}
			p.say(ctx, m.peer, m.id, http.MethodPut, m.ref+"/reactions", map[string]any{"emojis": set}, effect(relationReact, "", set))
		}
	}
}

func (p *poster) relateOwn(ctx context.Context) {
	if len(p.relations.list) == 0 {
		return
	}
	i := p.random.IntN(len(p.relations.list))
	m := p.relations.list[i]
	if p.random.IntN(retractOne) == 0 {
		p.relations.list = slices.Delete(p.relations.list, i, i+1)
		p.say(ctx, m.to.JID, m.id, http.MethodDelete, m.ref, nil, relationRetract)
		return
	}
	body := compose(m.message, p.random)
	p.say(ctx, m.to.JID, m.id, http.MethodPatch, m.ref, map[string]string{"body": body}, effect(relationEdit, body, nil))
}

// say makes the request for a relation, and one time in ten once more.
func (p *poster) say(ctx context.Context, peer, id, method, path string, body any, does string) {
	p.relations.said++
	name, n := p.account.Name, p.relations.said
	p.insist(ctx, request{method, messagesOf(peer) + path, fmt.Sprintf("%s says %d", name, n), body,
		Entry{Op: OpRelate, Who: name, Account: name, From: p.w.names[peer], N: n, Key: id, Text: does}}, p.random.IntN(10) == 0)
}

// messagesOf is where the messages of a conversation are, with a slash at its end.
func messagesOf(peer string) string {
	return "/v1/conversations/" + url.PathEscape(peer) + "/messages/"
}

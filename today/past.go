package today

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsCorrection = "urn:xmpp:message-correct:0"
	nsOOB        = "jabber:x:oob"
)

// withPicture uploads the picture of a message, and then lets do take it with its address. That is known
// when the service has started; without a listener for HTTP there are no pictures.
func (s *Service) withPicture(a *account, p PastMessage, do func(*PastMessage) error) {
	if s.o.ListenHTTP == Off {
		return
	}
	s.later.Always(0, func() {
		p.url = s.uploads.keepFile(a, pastID("upload", p.ID), p.ID+".png", "image/png", p.Picture)
		p.Body, p.Picture = p.url, nil
		if err := do(&p); err != nil {
			s.log.Debug("picture of the archive left out", "error", err)
		}
	})
}

// pastID is the id of a message in the archive of owner: the same at each start, so that a client that
// has kept it knows it again.
func pastID(owner, id string) string {
	sum := sha256.Sum256([]byte(owner + "\x00" + id))
	return hex.EncodeToString(sum[:12])
}

// element is the message, from and to addresses. Reactions name what they are about by ref.
func (p *PastMessage) element(from, to, kind string, ref func(id string) string) *xmppserver.Element {
	e := xmppserver.NewElement(xmppserver.NSClient, "message")
	set := func(e *xmppserver.Element, name, value string) {
		e.Attr = append(e.Attr, xml.Attr{Name: xml.Name{Local: name}, Value: value})
	}
	add := func(k *xmppserver.Element) { e.Kids = append(e.Kids, xmppserver.Node{El: k}) }
	set(e, "from", from)
	if to != "" {
		set(e, "to", to)
	}
	set(e, "type", kind)
	set(e, "id", p.ID)
	if p.Body != "" {
		add(xmppserver.NewElement(xmppserver.NSClient, "body", xmppserver.Node{Text: p.Body}))
	}
	if p.url != "" {
		add(xmppserver.NewElement(nsOOB, "x", xmppserver.Node{El: xmppserver.NewElement(nsOOB, "url", xmppserver.Node{Text: p.url})}))
	}
	if p.Replaces != "" {
		replace := xmppserver.NewElement(nsCorrection, "replace")
		set(replace, "id", p.Replaces)
		add(replace)
	}
	if p.ReactsTo != "" {
		reactions := xmppserver.NewElement(nsReactions, "reactions")
		set(reactions, "id", ref(p.ReactsTo))
		for _, emoji := range p.Emojis {
			reactions.Kids = append(reactions.Kids, xmppserver.Node{El: xmppserver.NewElement(nsReactions, "reaction", xmppserver.Node{Text: emoji})})
		}
		add(reactions)
		add(xmppserver.NewElement(nsHints, "store"))
	}
	return e
}

// whole reports whether the message has what each one must have.
func (p *PastMessage) whole() bool {
	return p.ID != "" && (p.Body != "" || p.Picture != nil || p.ReactsTo != "")
}

// archived is the message as it is in the archive of owner.
func (p *PastMessage) archived(owner, with string, e *xmppserver.Element, stanza []byte) archived {
	m := newArchived(with, e, stanza)
	m.id, m.at = pastID(owner, p.ID), p.Time.UTC().Truncate(time.Millisecond)
	return m
}

// backfill puts a message of before into the archives of both accounts.
func (s *Service) backfill(p *PastMessage) error {
	from, to := s.accounts[p.From], s.accounts[p.To]
	switch {
	case from == nil || to == nil || !p.whole():
		return fmt.Errorf("today: Archive: message %q from %q to %q: it needs two accounts, an ID, and a Body, a Picture or ReactsTo", p.ID, p.From, p.To)
	case p.Picture != nil:
		s.withPicture(from, *p, s.backfill)
		return nil
	}
	e := p.element(from.Bare, to.Bare, "chat", func(id string) string { return id })
	stanza := e.Append(nil, xmppserver.NSClient)
	from.archive.add(p.archived(from.Bare, to.Bare, e, stanza))
	if to != from {
		to.archive.add(p.archived(to.Bare, from.Bare, e, stanza))
	}
	return nil
}

// backfill puts a message of before into the archive of a room.
func (r *room) backfill(p *PastMessage) error {
	a := r.c.s.accounts[p.From]
	switch {
	case a == nil || !p.whole():
		return fmt.Errorf("today: room %s: message %q from %q: it needs an account, an ID, and a Body, a Picture or ReactsTo", r.jid, p.ID, p.From)
	case p.Picture != nil:
		r.c.s.withPicture(a, *p, r.backfill)
		return nil
	}
	o := &occupant{nick: a.nick(), bare: a.Bare, id: r.c.occupantID(r.jid, a.Bare)}
	e := p.element(r.at(o), "", "groupchat", func(id string) string { return pastID(r.jid, id) })
	stanza := strings.TrimSuffix(string(e.Append(nil, xmppserver.NSClient)), "</message>")
	m := p.archived(r.jid, r.at(o), e, append(appendOccupantID([]byte(stanza), o.id), "</message>"...))
	m.occupant = o.id
	r.archive.add(m)
	return nil
}

// sharePicture uploads a picture, once however often it is shared, and returns its address, or "".
func (s *Service) sharePicture(a *account, png []byte) string {
	if s.o.ListenHTTP == Off {
		return ""
	}
	return s.uploads.keepFile(a, pastID("upload", string(png)), "picture.png", "image/png", png)
}

// nick is what an account is called in rooms.
func (a *account) nick() string {
	if a.Nick != "" {
		return a.Nick
	}
	return a.Local
}

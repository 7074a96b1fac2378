package sessions

import (
	"context"
	"iter"
	"strings"

	"github.com/perch-im/perch"
)

// bearer is what a token may stand for that comes with a request: one that was minted here, or an access
// token of an upstream.
type bearer struct {
	of     credentialKey
	acc    perch.Account // of an access token
	minted bool
	row    *bindingRow // nil: the Store was not asked
}

// bindingRow is what the Store has said of a key during this request.
type bindingRow struct {
	key digest
	b   Binding
	err error
}

// namedUpstream is what a request says of the upstream of its access token, and in which field.
type namedUpstream struct{ field, name string }

type namedUpstreamKey struct{}

// AtUpstream returns a context for the calls of a request whose client has named the upstream of its access
// token, in this field. Of a token that has a session at another one the error names the field.
func AtUpstream(ctx context.Context, field, name string) context.Context {
	return context.WithValue(ctx, namedUpstreamKey{}, namedUpstream{field, name})
}

// NamedUpstream is what AtUpstream was given; NamesUpstream reports whether it was.
func NamedUpstream(ctx context.Context) string {
	return namedIn(ctx).name
}

// NamesUpstream reports whether the request of ctx names an upstream.
func NamesUpstream(ctx context.Context) bool {
	return ctx.Value(namedUpstreamKey{}) != nil
}

func namedIn(ctx context.Context) namedUpstream {
	named, _ := ctx.Value(namedUpstreamKey{}).(namedUpstream)
	return named
}

// CheckUpstream returns an error when the request has named another upstream than that of the session.
func CheckUpstream(ctx context.Context, s *Session) error {
	named, ok := ctx.Value(namedUpstreamKey{}).(namedUpstream)
	if at := s.cred.upstream.Name; ok && at != named.name {
		return named.isAt(at)
	}
	return nil
}

// isAt is the error for a token whose session is at another upstream.
func (n namedUpstream) isAt(at string) error {
	return perch.Invalid(n.field, "the session of this token is at the upstream %q: name that one, or none", at)
}

// likeliest is what a token stands for when it is bound to nothing yet.
func (m *Manager) likeliest(ctx context.Context, token perch.Secret) (bearer, error) {
	text := token.Reveal()
	if strings.HasPrefix(text, TokenPrefix) {
		return bearer{of: func(h *hasher) digest { return h.tokenKey(text) }, minted: true}, nil
	}
	x := m.settings()
	named, ok := ctx.Value(namedUpstreamKey{}).(namedUpstream)
	if !ok {
		return bearerAt(x.upstreamOfToken(token), token), nil
	}
	if x.upstreams[named.name] == nil {
		return bearer{}, perch.Invalid(named.field, "is not configured here; leave it out, and the token decides")
	}
	return bearerAt(named.name, token), nil
}

// bearerAt is an access token of an upstream.
func bearerAt(upstream string, token perch.Secret) bearer {
	acc := perch.Account{Upstream: upstream, Token: token}
	return bearer{of: func(h *hasher) digest { return h.accountKey(acc) }, acc: acc}
}

// bearers yields what a token may stand for, the likeliest first: it may be bound to a session of any upstream
// that takes access tokens, because its client has named that one, or by the settings of before.
func (m *Manager) bearers(ctx context.Context, token perch.Secret) iter.Seq[bearer] {
	return func(yield func(bearer) bool) {
		first, err := m.likeliest(ctx, token)
		if err != nil || !yield(first) || first.minted {
			return
		}
		for _, name := range m.settings().tokens.takers {
			if name != first.acc.Upstream && !yield(bearerAt(name, token)) {
				return
			}
		}
	}
}

// bearerOf finds out what a token stands for, by what it is bound to; one that is bound to nothing yet belongs
// to the upstream that its client has named, or that it begins as the tokens of, or else to the default.
func (m *Manager) bearerOf(ctx context.Context, token perch.Secret) (bearer, error) {
	first, err := m.likeliest(ctx, token)
	if err != nil || first.minted || m.settings().tokens.only(first.acc.Upstream) {
		return first, err
	}
	for b := range m.bearers(ctx, token) {
		if m.leadsSomewhere(b) {
			return b, b.named(ctx)
		}
	}
	if m.rejected.get(m.ring()[0].accountKey(first.acc)) != nil {
		return first, nil
	}
	for b := range m.bearers(ctx, token) {
		b.row = m.inStore(ctx, b)
		switch kind := perch.KindOf(b.row.err); {
		case b.row.err == nil:
			return b, b.named(ctx)
		case kind != perch.KindNotFound:
			last := m.lastKnown(ctx, token, first)
			last.row = &bindingRow{key: last.of(m.ring()[0]), err: b.row.err}
			return last, nil
		case b.acc.Upstream == first.acc.Upstream:
			first.row = b.row
		}
	}
	return first, m.settings().tokenFits(namedIn(ctx).field, first.acc.Upstream, token)
}

// named refuses a token that is bound to another upstream than its client has named.
func (b bearer) named(ctx context.Context) error {
	if named, ok := ctx.Value(namedUpstreamKey{}).(namedUpstream); ok && named.name != b.acc.Upstream {
		return named.isAt(b.acc.Upstream)
	}
	return nil
}

// leadsSomewhere reports whether it is known without the Store that a bearer has a session.
func (m *Manager) leadsSomewhere(b bearer) bool {
	for _, h := range m.ring() {
		key := b.of(h)
		if m.byKey(key) != nil || m.routes.get(key, routeFor) != nil {
			return true
		}
	}
	return false
}

// inStore is what the Store has of a bearer under the first of the secrets under which it is bound, or else what
// it has said of the last one. That there is nothing is KindNotFound.
func (m *Manager) inStore(ctx context.Context, b bearer) *bindingRow {
	var row bindingRow
	for _, h := range m.ring() {
		row.key = b.of(h)
		row.b, row.err = m.o.Store.Lookup(ctx, row.key.String())
		if perch.KindOf(row.err) != perch.KindNotFound {
			break
		}
	}
	return &row
}

// lastKnown is what a token has stood for when it was last found on another node, while the Store cannot be
// asked, or else the likeliest.
func (m *Manager) lastKnown(ctx context.Context, token perch.Secret, first bearer) bearer {
	for b := range m.bearers(ctx, token) {
		for _, h := range m.ring() {
			if m.routes.get(b.of(h), routeLast) != nil {
				return b
			}
		}
	}
	return first
}

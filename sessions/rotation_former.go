package sessions

import "context"

// boundRow is the name of a token (its keyed hash) and what it leads to, as the Store has listed it.
type boundRow struct {
	name string
	Binding
}

// movedTokens are the minted tokens that are bound under the secret in use, by their session and TokenRecord.ID.
type movedTokens map[tokenID]boundRow

type tokenID struct {
	session ID
	id      string
}

func listMoved(all map[string]Binding, mark string) movedTokens {
	list := movedTokens{}
	for name, b := range all {
		if key, ok := digestOf(name); ok && b.Minted && b.Mark == mark && !b.Replaced {
			list[tokenID{b.ID, idOfToken(key, b.Token)}] = boundRow{name, b}
		}
	}
	return list
}

// of returns the row under the secret in use of a token that is listed under another one.
func (l movedTokens) of(name string, b Binding) (now boundRow, there bool) {
	if key, ok := digestOf(name); ok && b.Minted {
		now, there = l[tokenID{b.ID, idOfToken(key, b.Token)}]
	}
	return now, there && now.name != name
}

// endFormer unbinds the key that a minted token had under the former secret, once the token is also bound under
// the secret in use, and reports whether that is done. Nothing else would: a request finds the token by its key
// under the secret in use. There are two keys when nodes do not agree yet on the secret in use, and one binds a
// token under the former secret again after another one has moved it. S is nil when no node has the session.
func (m *Manager) endFormer(ctx context.Context, s *Session, former, now boundRow) bool {
	old, _ := digestOf(former.name)
	key, _ := digestOf(now.name)
	if s != nil {
		return m.rebind(ctx, s, boundToken{key: old, minted: true, record: former.Token}, markedKey{key, now.Mark})
	}
	// Only while the key under the secret in use is still bound: the token may have been moved back meanwhile.
	there, err := m.o.Store.Rewrite(ctx, now.name, now.Binding, now.Binding)
	return err == nil && there && m.o.Store.Unbind(ctx, former.name) == nil
}

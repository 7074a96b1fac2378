package sessions

import "context"

// boundRow is the name of a token (its keyed hash) and what it leads to, as the Store has listed it.
type boundRow struct {
	name string
	Binding
}

// movedTokens are the minted tokens that are bound under the secret in use, by the session and their id in it.
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

// endFormer ends the former key of a minted token that is bound under the secret in use, too, and reports
// whether that is done: no client will ask by it, so nothing else would end it. While nodes do not agree on
// the secret in use, one moves a token and another one writes its former key again; a node that restores the
// session then has both. S is nil when no node has the session.
func (m *Manager) endFormer(ctx context.Context, s *Session, former, now boundRow) bool {
	old, _ := digestOf(former.name)
	key, _ := digestOf(now.name)
	if s != nil {
		return m.rebind(ctx, s, boundToken{key: old, minted: true, record: former.Token}, markedKey{key, now.Mark})
	}
	// Only while the other one leads there: a token that has been moved back meanwhile has no other key.
	there, err := m.o.Store.Rewrite(ctx, now.name, now.Binding, now.Binding)
	return err == nil && there && m.o.Store.Unbind(ctx, former.name) == nil
}

package sessions

import "context"

// boundRow is a token and what it leads to, as the Store has listed it.
type boundRow struct {
	token string
	Binding
}

// movedTokens are the minted tokens that are bound under the secret in use, by the session and their id in it.
type movedTokens map[tokenName]boundRow

type tokenName struct {
	session ID
	id      string
}

func listMoved(all map[string]Binding, mark string) movedTokens {
	list := movedTokens{}
	for token, b := range all {
		if key, ok := digestOf(token); ok && b.Minted && b.Mark == mark && !b.Replaced {
			list[tokenName{b.ID, idOfToken(key, b.Token)}] = boundRow{token, b}
		}
	}
	return list
}

// of returns the row under the secret in use of a token that is listed under another one.
func (l movedTokens) of(token string, b Binding) (now boundRow, there bool) {
	if key, ok := digestOf(token); ok && b.Minted {
		now, there = l[tokenName{b.ID, idOfToken(key, b.Token)}]
	}
	return now, there && now.token != token
}

// endFormer ends the former key of a minted token that is bound under the secret in use, too, and reports
// whether that is done: no client will ask by it, so nothing else would end it. While nodes do not agree on
// the secret in use, one moves a token and another one writes its former key again; a node that restores the
// session then has both. S is nil when no node has the session.
func (m *Manager) endFormer(ctx context.Context, s *Session, former, now boundRow) bool {
	old, _ := digestOf(former.token)
	key, _ := digestOf(now.token)
	if s != nil {
		return m.rebind(ctx, s, boundToken{key: old, minted: true, record: former.Token}, markedKey{key, now.Mark})
	}
	// Only while the other one leads there: a token that has been moved back meanwhile has no other key.
	there, err := m.o.Store.Rewrite(ctx, now.token, now.Binding, now.Binding)
	return err == nil && there && m.o.Store.Unbind(ctx, former.token) == nil
}

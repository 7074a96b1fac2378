package cache

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// bindingRow is a Binding in Redis. The key is a keyed hash of the token; the token
// itself is nowhere.
type bindingRow struct {
	ID       sessions.ID `json:"id"`
	Upstream string      `json:"upstream"`
	JID      perch.JID   `json:"jid"`
	Minted   bool        `json:"minted,omitempty"`
	Sealed   []byte      `json:"sealed,omitempty"`
	Replaced bool        `json:"replaced,omitempty"`
	Mark     string      `json:"k,omitempty"`
	// Token is what a minted token may do. Sealed is that of a restricted one: see encodeBinding.
	Token  *sessions.TokenRecord `json:"t,omitempty"`
	Secret []byte                `json:"s,omitempty"`
}

// sealedOfReplaced is written as the sealed credential of a replaced one: older nodes, which
// work with the same rows during a rolling upgrade, know a replaced credential by it alone, and
// wrote no other sign. Outside of the rows there is only Binding.Replaced.
var sealedOfReplaced = []byte{0}

// encodeBinding writes a token that is restricted so that older nodes, which would let it do everything,
// take it for a replaced credential and refuse it.
func encodeBinding(b sessions.Binding) (string, error) {
	row := bindingRow{b.ID, b.Upstream, b.JID, b.Minted, b.Sealed, b.Replaced, b.Mark, b.Token, nil}
	switch {
	case b.Replaced:
		row.Sealed = sealedOfReplaced
	case b.Token.Restricted():
		row.Secret, row.Sealed, row.Replaced = b.Sealed, sealedOfReplaced, true
	}
	return encode(row)
}

func decodeBinding(s string) (sessions.Binding, error) {
	row, err := decode[bindingRow](s)
	if err != nil {
		return sessions.Binding{}, err
	}
	b := sessions.Binding{ID: row.ID, Upstream: row.Upstream, JID: row.JID, Minted: row.Minted, Sealed: row.Sealed, Replaced: row.Replaced, Mark: row.Mark, Token: row.Token}
	if row.Token.Restricted() && row.Minted {
		b.Sealed, b.Replaced = row.Secret, false
		return b, nil
	}
	if bytes.Equal(b.Sealed, sealedOfReplaced) {
		b.Sealed, b.Replaced = nil, true
	}
	return b, nil
}

// Bind implements sessions.Store. The indexes are written before the token, and those that are
// too many go from them last: what is cut off in between, or refused, leaves an index entry
// that leads nowhere, never a token that Forget cannot find. The next Bind ends what this one
// could not.
func (r *Redis) Bind(ctx context.Context, token string, b sessions.Binding) (evicted []string, err error) {
	row, err := encodeBinding(b)
	if err != nil {
		return nil, err
	}
	taken := false
	err = r.change(ctx, "bind", func(ctx context.Context) error {
		over, err := r.admit(ctx, token, b)
		if err != nil {
			return err
		}
		bound, err := bindScript.Run(ctx, r.client, []string{r.keys.token(token)}, string(b.ID), row, ms(r.o.StateTTL)).Int()
		if err != nil {
			return err
		}
		if taken = bound == 0; taken {
			return r.unindex(ctx, b.ID, token)
		}
		for _, t := range over {
			evicted = append(evicted, t) // before it is done: its answer may be lost
			if err := r.endToken(ctx, b.ID, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && taken {
		return evicted, sessions.ErrTaken
	}
	return evicted, err
}

// Rebind implements sessions.Store. It is several steps, because no script may do them together on a
// cluster: both names are keys of their own, named by hashes, in slots of their own, as are the indexes of
// the session and the list of all tokens. Each step may be repeated, and after each the old name leads to
// the session until the new one does:
//
//   - The place among the minted tokens is taken over before the new name leads anywhere. Cut off there, the
//     token is known by its old name, and whoever looks for it moves it again. The other way round the new
//     name would be found first, and be outside of the bound on minted tokens for good.
//   - The old name ends last. Cut off there, both lead to the session, and end with it.
func (r *Redis) Rebind(ctx context.Context, old, token string, b sessions.Binding) error {
	row, err := encodeBinding(b)
	if err != nil {
		return err
	}
	taken := false
	err = r.change(ctx, "bind", func(ctx context.Context) error {
		pipe := r.client.Pipeline()
		r.index(ctx, pipe, token)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		if err := r.takePlace(ctx, old, token, b); err != nil {
			return err
		}
		bound, err := bindScript.Run(ctx, r.client, []string{r.keys.token(token)}, string(b.ID), row, ms(r.o.StateTTL)).Int()
		if err != nil {
			return err
		}
		if taken = bound == 0; taken {
			if err := r.takePlace(ctx, token, old, b); err != nil {
				return err
			}
			return r.unindex(ctx, b.ID, token)
		}
		return r.endToken(ctx, b.ID, old)
	})
	if err == nil && taken {
		return sessions.ErrTaken
	}
	return err
}

// takePlace puts a token into the indexes of its session, in the place that old has among the minted ones.
func (r *Redis) takePlace(ctx context.Context, old, token string, b sessions.Binding) error {
	return replaceScript.Run(ctx, r.client, []string{r.keys.tokens(b.ID), r.keys.minted(b.ID)}, old, token, ms(r.o.StateTTL), flag(b.Counted())).Err()
}

// Rewrite implements sessions.Store.
func (r *Redis) Rewrite(ctx context.Context, token string, was, b sessions.Binding) (written bool, err error) {
	before, err := encodeBinding(was)
	if err != nil {
		return false, err
	}
	row, err := encodeBinding(b)
	if err != nil {
		return false, err
	}
	err = r.change(ctx, "bind", func(ctx context.Context) (err error) {
		written, err = rewriteScript.Run(ctx, r.client, []string{r.keys.token(token)}, before, row).Bool()
		return err
	})
	return written, err
}

// admit writes a token into the indexes, and returns those that are too many by then.
func (r *Redis) admit(ctx context.Context, token string, b sessions.Binding) (over []string, err error) {
	pipe := r.client.Pipeline()
	r.index(ctx, pipe, token)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	most := 0
	if b.Counted() {
		most = sessions.MaxMinted
	}
	return admitScript.Run(ctx, r.client, []string{r.keys.tokens(b.ID), r.keys.minted(b.ID)}, token, ms(r.o.StateTTL), most).StringSlice()
}

// endToken ends a token that leads to a session, and then its places in the indexes.
func (r *Redis) endToken(ctx context.Context, id sessions.ID, token string) error {
	if err := unbindScript.Run(ctx, r.client, []string{r.keys.token(token)}, string(id)).Err(); err != nil {
		return err
	}
	if err := r.client.ZRem(ctx, r.keys.allTokens(), token).Err(); err != nil {
		return err
	}
	return r.unindex(ctx, id, token)
}

// unindex takes a token out of the indexes of a session.
func (r *Redis) unindex(ctx context.Context, id sessions.ID, token string) error {
	pipe := r.client.Pipeline()
	pipe.SRem(ctx, r.keys.tokens(id), token)
	pipe.ZRem(ctx, r.keys.minted(id), token)
	pipe.HDel(ctx, r.keys.uses(id), token)
	_, err := pipe.Exec(ctx)
	return err
}

// index puts a token into the list of all, with the time at which it ends.
func (r *Redis) index(ctx context.Context, pipe redis.Pipeliner, token string) {
	end := r.now().Add(r.o.StateTTL + time.Minute).UnixMilli()
	pipe.ZAdd(ctx, r.keys.allTokens(), redis.Z{Score: float64(end), Member: token})
	pipe.PExpire(ctx, r.keys.allTokens(), r.o.StateTTL+time.Minute)
}

// Lookup implements sessions.Store. Tokens live on with the writes of their session, not
// by being looked up.
func (r *Redis) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	s, err := r.get(ctx, "lookup", func(ctx context.Context) (string, error) {
		return r.client.Get(ctx, r.keys.token(token)).Result()
	}, errNoToken)
	if err != nil {
		return sessions.Binding{}, err
	}
	return decodeBinding(s)
}

// Unbind implements sessions.Store.
func (r *Redis) Unbind(ctx context.Context, token string) error {
	return r.change(ctx, "unbind", func(ctx context.Context) error {
		s, err := r.client.GetDel(ctx, r.keys.token(token)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if err := r.client.ZRem(ctx, r.keys.allTokens(), token).Err(); err != nil {
			return err
		}
		if b, err := decodeBinding(s); err == nil {
			return r.unindex(ctx, b.ID, token)
		}
		return nil
	})
}

// Bindings implements sessions.Store. It reads the list of all tokens, a few hundred at a
// time, and is meant for the start of a process.
func (r *Redis) Bindings(ctx context.Context) (map[string]sessions.Binding, error) {
	all := map[string]sessions.Binding{}
	err := r.change(ctx, "bindings", func(ctx context.Context) error {
		now := strconv.FormatInt(r.now().UnixMilli(), 10)
		if err := r.client.ZRemRangeByScore(ctx, r.keys.allTokens(), "-inf", now).Err(); err != nil {
			return err
		}
		for cursor := uint64(0); ; {
			page, next, err := r.client.ZScan(ctx, r.keys.allTokens(), cursor, "", 500).Result()
			if err != nil {
				return err
			}
			tokens := make([]string, 0, len(page)/2)
			for i := 0; i < len(page); i += 2 { // {token, score, token, score ...}
				tokens = append(tokens, page[i])
			}
			if err := r.follow(ctx, tokens, all); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
	return all, err
}

// BindingsOf implements sessions.Store.
func (r *Redis) BindingsOf(ctx context.Context, id sessions.ID) (map[string]sessions.Binding, error) {
	all := map[string]sessions.Binding{}
	err := r.change(ctx, "bindings", func(ctx context.Context) error {
		tokens, err := r.client.SMembers(ctx, r.keys.tokens(id)).Result()
		if err != nil {
			return err
		}
		return r.follow(ctx, tokens, all)
	})
	// A token that leads elsewhere by now is still in the index here.
	maps.DeleteFunc(all, func(_ string, b sessions.Binding) bool { return b.ID != id })
	return all, err
}

// follow reads where tokens lead.
func (r *Redis) follow(ctx context.Context, tokens []string, into map[string]sessions.Binding) error {
	pipe := r.client.Pipeline()
	rows := map[string]*redis.StringCmd{}
	for _, token := range tokens {
		rows[token] = pipe.Get(ctx, r.keys.token(token))
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	for token, cmd := range rows {
		s, err := cmd.Result()
		if errors.Is(err, redis.Nil) {
			continue // the index is the older one
		} else if err != nil {
			return err
		}
		b, err := decodeBinding(s)
		if err != nil {
			return err
		}
		into[token] = b
	}
	return nil
}

// Forget implements sessions.Store. Tokens go first and indexes last: a Forget that was
// cut off finds all the rest when it is repeated.
func (r *Redis) Forget(ctx context.Context, id sessions.ID) error {
	err := r.change(ctx, "forget", func(ctx context.Context) error {
		if err := r.forgetTokens(ctx, id); err != nil {
			return err
		}
		records, err := forgetScript.Run(ctx, r.client, append([]string{r.keys.timed(id)}, r.keys.data(id)...)).StringSlice()
		if err != nil {
			return err
		}
		for len(records) > 0 {
			n := min(len(records), 500)
			if err := r.client.Unlink(ctx, records[:n]...).Err(); err != nil {
				return err
			}
			records = records[n:]
		}
		return r.client.Unlink(ctx, r.keys.timed(id), r.keys.tokens(id), r.keys.minted(id), r.keys.uses(id)).Err()
	})
	if err == nil && r.writer != nil {
		r.writer.dropSequence(id)
	}
	return err
}

func (r *Redis) forgetTokens(ctx context.Context, id sessions.ID) error {
	tokens, err := r.client.SMembers(ctx, r.keys.tokens(id)).Result()
	if err != nil {
		return err
	}
	for _, token := range tokens {
		ended, err := unbindScript.Run(ctx, r.client, []string{r.keys.token(token)}, string(id)).Int()
		if err != nil {
			return err
		}
		if ended == 0 {
			continue // it leads elsewhere by now
		}
		if err := r.client.ZRem(ctx, r.keys.allTokens(), token).Err(); err != nil {
			return err
		}
	}
	return nil
}

// extendTTL lets the tokens of sessions live on with them. It is done when the state of a
// session is extended, and not repeated when it fails: the next renewal comes long before the
// tokens end.
func (r *Redis) extendTTL(ctx context.Context, ids []sessions.ID) {
	start, traced := time.Now(), r.trace(ctx, "tokens", len(ids))
	err := func() error {
		pipe := r.client.Pipeline()
		sets := make([]*redis.StringSliceCmd, len(ids))
		for i, id := range ids {
			sets[i] = pipe.SMembers(ctx, r.keys.tokens(id))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		pipe = r.client.Pipeline()
		for i, id := range ids {
			pipe.PExpire(ctx, r.keys.tokens(id), r.o.StateTTL)
			pipe.PExpire(ctx, r.keys.minted(id), r.o.StateTTL)
			pipe.PExpire(ctx, r.keys.uses(id), r.o.StateTTL)
			for _, token := range sets[i].Val() {
				pipe.PExpire(ctx, r.keys.token(token), r.o.StateTTL)
				r.index(ctx, pipe, token)
			}
		}
		_, err := pipe.Exec(ctx)
		return err
	}()
	r.observe("tokens", start, traced, err)
}

func (r *Redis) change(ctx context.Context, op string, f func(context.Context) error) error {
	if err := r.ask(ctx, op, f); err != nil {
		return unavailable(err)
	}
	return nil
}

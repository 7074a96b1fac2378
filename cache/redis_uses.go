package cache

import (
	"context"
	"slices"

	"github.com/perch-im/perch/sessions"
)

// usesPage is how many uses are written in one round trip.
const usesPage = 500

// NoteUses implements sessions.Store. What is noted of a token goes with it (unindex, Forget), or with
// the state of its session; of one that has ended nothing is noted.
func (r *Redis) NoteUses(ctx context.Context, uses []sessions.NotedUse) error {
	for page := range slices.Chunk(uses, usesPage) {
		err := r.change(ctx, "uses", func(ctx context.Context) error {
			pipe := r.client.Pipeline()
			for _, u := range page {
				row, err := encode(u.TokenUse)
				if err != nil {
					return err
				}
				pipe.Eval(ctx, useLua, []string{r.keys.uses(u.Session), r.keys.tokens(u.Session)}, u.Token, row, ms(r.o.StateTTL))
			}
			_, err := pipe.Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Uses implements sessions.Store.
func (r *Redis) Uses(ctx context.Context, id sessions.ID) (map[string]sessions.TokenUse, error) {
	var rows map[string]string
	err := r.change(ctx, "uses", func(ctx context.Context) (err error) {
		rows, err = r.client.HGetAll(ctx, r.keys.uses(id)).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	uses := make(map[string]sessions.TokenUse, len(rows))
	for token, row := range rows {
		u, err := decode[sessions.TokenUse](row)
		if err != nil {
			return nil, err
		}
		uses[token] = *u
	}
	return uses, nil
}

package cache

import (
	"context"
	"slices"
)

// Agree implements sessions.MembershipStore. The value ends like the state of a session.
func (r *Redis) Agree(ctx context.Context, name, value string, instead ...string) (string, error) {
	agreed := ""
	err := r.change(ctx, "agree", func(ctx context.Context) (err error) {
		args := []any{value, ms(r.o.StateTTL)}
		for _, old := range instead {
			args = append(args, old)
		}
		agreed, err = agreeScript.Run(ctx, r.client, []string{r.keys.agreed(name)}, args...).Text()
		return err
	})
	return agreed, err
}

// Agree implements sessions.MembershipStore.
func (m *Memory) Agree(_ context.Context, name, value string, instead ...string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return "", errClosed
	}
	if agreed, ok := m.agreed[name]; ok && !slices.Contains(instead, agreed) {
		return agreed, nil
	}
	m.agreed[name] = value
	return value, nil
}

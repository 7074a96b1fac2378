package cache

import "context"

// Agree implements sessions.MembershipStore. The value ends like the state of a session.
func (r *Redis) Agree(ctx context.Context, name, value string) (string, error) {
	agreed := ""
	err := r.change(ctx, "agree", func(ctx context.Context) (err error) {
		agreed, err = agreeScript.Run(ctx, r.client, []string{r.keys.agreed(name)}, value, ms(r.o.StateTTL)).Text()
		return err
	})
	return agreed, err
}

// Agree implements sessions.MembershipStore.
func (m *Memory) Agree(_ context.Context, name, value string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return "", errClosed
	}
	if agreed, ok := m.agreed[name]; ok {
		return agreed, nil
	}
	m.agreed[name] = value
	return value, nil
}

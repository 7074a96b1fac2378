package sessions

import "context"

// Reserve takes one attempt from a counter that all nodes share. An error says that the Store
// cannot be asked.
func (m *Manager) Reserve(ctx context.Context, key string, q Quota) (Allowance, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	a, err := m.o.Store.Reserve(ctx, key, q)
	return a, storeError(err)
}

// Refund gives an attempt back.
func (m *Manager) Refund(ctx context.Context, key string, q Quota) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTime)
	defer cancel()
	return storeError(m.o.Store.Refund(ctx, key, q))
}

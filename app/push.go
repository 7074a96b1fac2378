package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/webpush"
	"github.com/perch-im/perch/sessions"
)

// PushOptions are about messages to push subscriptions (RFC 8030).
type PushOptions struct {
	NoPush bool // clients can subscribe to nothing
	// PushVAPIDKey signs messages (RFC 8292): a private key of P-256, 32 bytes in base64url or PEM. "": one is
	// made, and kept in the store for all nodes.
	PushVAPIDKey string
	// PushContact is whom push services find in messages: mailto: or https:. Default: the project.
	PushContact string
	// PushAllow are networks that are not public in which the gateway may reach push services.
	PushAllow []netip.Prefix
}

// checkPush names the setting that is wrong.
func (o *PushOptions) checkPush() error {
	if o.PushVAPIDKey != "" {
		if _, err := webpush.ParseKey(o.PushVAPIDKey); err != nil {
			return fmt.Errorf("--push-vapid-key %w; make one with: perch vapid-key", err)
		}
	}
	if o.PushContact != "" {
		if err := webpush.CheckContact(o.PushContact); err != nil {
			return fmt.Errorf("--push-contact %w", err)
		}
	}
	return nil
}

func (o *PushOptions) webpush() webpush.Options {
	return webpush.Options{Contact: o.PushContact, Allow: o.PushAllow}
}

// NewVAPIDKey makes a key for PushVAPIDKey, and its public half, which browsers subscribe with.
func NewVAPIDKey() (private perch.Secret, public string, err error) {
	k, err := webpush.NewKey()
	if err != nil {
		return private, "", err
	}
	return k.Private(), k.Public(), nil
}

// push is what an app has for push messages.
type push struct {
	keeper *webpush.Keeper
	sender *webpush.Sender
	again  chan struct{} // has room for one: settings have changed
	secret perch.Secret  // that seals the key of a store that ends with the process
}

// keepEvery is the time between two looks at the key in the store, which lives for days after the last.
const keepEvery = time.Hour

// buildPush makes the sender; it has its key once the app starts.
func (a *App) buildPush() error {
	if a.o.NoPush {
		return nil
	}
	random := make([]byte, 32)
	rand.Read(random)
	keeper := webpush.NewKeeper(a.store)
	a.push = &push{
		keeper: keeper, sender: webpush.NewSender(keeper.Key, a.o.webpush()), again: make(chan struct{}, 1),
		secret: perch.NewSecret(base64.RawStdEncoding.EncodeToString(random)),
	}
	a.onStop("connections to push services", func(context.Context) error { a.push.sender.Close(); return nil })
	return nil
}

// pushSender is the sender as the Manager takes it: nil is no value of an interface.
func (a *App) pushSender() sessions.Sender {
	if a.push == nil {
		return nil
	}
	return a.push.sender
}

// pushKey is vapidKey as the API takes it; nil: push messages are off.
func (a *App) pushKey() func() string {
	if a.push == nil {
		return nil
	}
	return a.vapidKey
}

// vapidKey is the public half of the key in use; "": there is none.
func (a *App) vapidKey() string {
	if a.push == nil || a.push.keeper.Key() == nil {
		return ""
	}
	return a.push.keeper.Key().Public()
}

// startPush has a key before sessions are restored, and looks after it for as long as the app serves. It is
// called once this node knows that it has the secret of the others.
func (a *App) startPush() error {
	if a.push == nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	if err := a.keepPushKey(ctx); err != nil {
		stop()
		return fmt.Errorf("the key of push messages: %w", err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-a.push.again:
			case <-ctx.Done():
				return
			}
			if err := a.keepPushKey(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("key of push messages not looked after, will retry", "component", "push", "error", err)
			}
		}
	})
	a.onStop("key of push messages", func(context.Context) error {
		stop()
		done.Wait()
		return nil
	})
	return nil
}

// keepPushKey brings the key of the operator into use, or that of the store.
func (a *App) keepPushKey(ctx context.Context) error {
	o := a.options()
	if o.PushVAPIDKey != "" {
		key, err := webpush.ParseKey(o.PushVAPIDKey)
		if err == nil {
			a.push.keeper.Use(key)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeCheckTime)
	defer cancel()
	var secrets []perch.Secret
	for _, text := range []string{o.Secret, o.SecretPrevious} {
		if text != "" {
			secrets = append(secrets, perch.NewSecret(text))
		}
	}
	if len(secrets) == 0 {
		secrets = []perch.Secret{a.push.secret}
	}
	replaced, err := a.push.keeper.Keep(ctx, secrets...)
	if replaced && err == nil {
		a.log.Warn("key of push messages could not be opened and was replaced", "component", "push", "advice", "clients subscribe again with the new application_server_key")
	}
	return err
}

// reconfigurePush brings changed settings into effect.
func (a *App) reconfigurePush(o *PushOptions) {
	if a.push == nil {
		return
	}
	a.push.sender.Reconfigure(o.webpush())
	select {
	case a.push.again <- struct{}{}:
	default: // it is to look already
	}
}

// checkPushKey says what push messages are signed with; CheckConfig has read the key.
func checkPushKey(o Options) Finding {
	key, err := webpush.ParseKey(o.PushVAPIDKey)
	if err != nil {
		return Finding{Name: "push", Result: FindingFailed, Detail: err.Error()}
	}
	return Finding{Name: "push", Result: FindingOK, Detail: "application_server_key " + key.Public()}
}

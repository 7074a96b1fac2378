package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

func policy(a IdleAction, after time.Duration) IdlePolicy {
	return IdlePolicy{Action: a, After: after}
}

// TestUpstreamIdleIsInherited: what an upstream leaves out of the idle policy is as for all.
func TestUpstreamIdleIsInherited(t *testing.T) {
	all := IdlePolicy{Action: sessions.IdleAway, After: 10 * time.Minute}
	for name, c := range map[string]struct {
		all         IdlePolicy
		own         UpstreamLimits
		want, shown IdlePolicy // want "" is that of all
	}{
		"nothing":               {all, UpstreamLimits{}, IdlePolicy{}, all},
		"nothing of nothing":    {IdlePolicy{}, UpstreamLimits{}, IdlePolicy{}, IdlePolicy{Action: sessions.IdleKeep}},
		"the action":            {all, UpstreamLimits{Idle: sessions.IdleSignOut}, policy(sessions.IdleSignOut, 10*time.Minute), policy(sessions.IdleSignOut, 10*time.Minute)},
		"the time":              {all, UpstreamLimits{IdleAfter: time.Minute}, policy(sessions.IdleAway, time.Minute), policy(sessions.IdleAway, time.Minute)},
		"the time, of nothing":  {IdlePolicy{}, UpstreamLimits{IdleAfter: time.Minute}, policy(sessions.IdleKeep, time.Minute), IdlePolicy{Action: sessions.IdleKeep}},
		"both":                  {all, UpstreamLimits{Idle: sessions.IdleSignOut, IdleAfter: time.Hour}, policy(sessions.IdleSignOut, time.Hour), policy(sessions.IdleSignOut, time.Hour)},
		"keep, where all do it": {all, UpstreamLimits{Idle: sessions.IdleKeep}, policy(sessions.IdleKeep, 10*time.Minute), IdlePolicy{Action: sessions.IdleKeep}},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Idle: c.all}
			if got := c.own.inherited(&o).Idle; got != c.want {
				t.Errorf("inherited: got %+v, want %+v", got, c.want)
			}
			shown := c.own.effective(&o)
			if got := policy(IdleAction(shown.Idle), time.Duration(shown.IdleAfter)*time.Millisecond); got != c.shown {
				t.Errorf("effective: got %+v, want %+v", got, c.shown)
			}
		})
	}
}

// TestEffectiveUpstreamLimits: operators see what holds, whoever has said it.
func TestEffectiveUpstreamLimits(t *testing.T) {
	o := Options{}.withDefaults()
	o.Upstreams = []Upstream{{Name: "own", UpstreamLimits: UpstreamLimits{AccountRate: 3}}, {Name: "none"}}
	if got, want := (UpstreamLimits{}).effective(&o), (api.UpstreamLimits{SessionsPerAccount: 10, AccountRate: 10, Logins: 64, Idle: "keep"}); got != want {
		t.Errorf("of nothing: got %+v, want %+v", got, want)
	}
	o.AccountRate = PerMinute(25, 2)
	if got := (UpstreamLimits{}).effective(&o).AccountRate; got != 25 {
		t.Errorf("account-rate of all: got %v, want 25", got)
	}
	own := UpstreamLimits{MaxSessions: 1, SessionsPerAccount: 2, AccountRate: 3, Logins: 4, LoginRate: 0.5}
	if got, want := own.effective(&o), (api.UpstreamLimits{MaxSessions: 1, SessionsPerAccount: 2, AccountRate: 3, Logins: 4, LoginRate: 0.5, Idle: "keep"}); got != want {
		t.Errorf("of its own: got %+v, want %+v", got, want)
	}
	if got := o.accountRates(); len(got) != 1 || got["own"] != (Rate{PerSecond: 0.05, Burst: 6}) {
		t.Errorf("accountRates: got %+v, want those of own, 3 a minute", got)
	}
}

// TestLabels at and beyond each of their bounds.
func TestLabels(t *testing.T) {
	long := strings.Repeat("x", 128)
	many := func(n int) Labels {
		l := Labels{}
		for i := range n {
			l[fmt.Sprint("k", i)] = "v"
		}
		return l
	}
	for name, c := range map[string]struct {
		labels Labels
		ok     bool
	}{
		"none":               {nil, true},
		"some":               {Labels{"region": "eu-west-1", "tier_2": "Gold & more", "z": "ä"}, true},
		"as many as may be":  {many(16), true},
		"one too many":       {many(17), false},
		"the longest key":    {Labels{long[:32]: "v"}, true},
		"a longer key":       {Labels{long[:33]: "v"}, false},
		"the longest value":  {Labels{"k": long}, true},
		"a longer value":     {Labels{"k": long + "x"}, false},
		"no key":             {Labels{"": "v"}, false},
		"a key with a digit": {Labels{"1k": "v"}, false},
		"a key with a dash":  {Labels{"a-b": "v"}, false},
		"no value":           {Labels{"k": ""}, false},
		"two lines":          {Labels{"k": "a\nb"}, false},
		"no text":            {Labels{"k": "\xff"}, false},
	} {
		if err := c.labels.check(); (err == nil) != c.ok {
			t.Errorf("%s: got error %v, want it accepted %v", name, err, c.ok)
		}
	}
	var l Labels
	for text, ok := range map[string]bool{"a=b": true, "c=d=e": true, "f": false, "": false} {
		if err := l.Set(text); (err == nil) != ok {
			t.Errorf("Set(%q): got error %v, want it accepted %v", text, err, ok)
		}
	}
	if l["a"] != "b" || l["c"] != "d=e" || l.Set("a=c") == nil {
		t.Errorf("got %v, want a=b and c=d=e, and an error for one that is given twice", l)
	}
}

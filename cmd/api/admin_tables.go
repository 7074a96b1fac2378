package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The answers of the admin API as far as tables show them; docs/admin-openapi.yaml has all of them.
type (
	sessionList[T any] struct {
		Items       []T           `json:"items"`
		Next        *string       `json:"next"`
		Unreachable []unreachable `json:"unreachable"`
	}
	sessionRow struct {
		ID          string      `json:"id"`
		JID         string      `json:"jid"`
		Upstream    string      `json:"upstream"`
		Node        string      `json:"node"`
		State       string      `json:"state"`
		Reason      string      `json:"reason"`
		Cause       string      `json:"cause"`
		Detail      string      `json:"detail"`
		Since       *time.Time  `json:"since"`
		Streams     int         `json:"streams"`
		Rooms       int         `json:"rooms"`
		Outbox      int         `json:"outbox"`
		HeldBack    bool        `json:"held_back"`
		Resource    string      `json:"resource"`
		Delivery    string      `json:"delivery"`
		Features    []string    `json:"features"`
		LastStanza  *time.Time  `json:"last_stanza_at"`
		PingRTT     *int64      `json:"ping_rtt_ms"`
		OpenStreams []streamRow `json:"open_streams"`
		Log         *logBounds  `json:"log"`
		Tokens      []tokenRow  `json:"tokens"`
		ExpiresAt   *time.Time  `json:"expires_at"`
	}
	streamRow struct {
		Transport string     `json:"transport"`
		Since     *time.Time `json:"since"`
	}
	logBounds struct {
		Epoch string `json:"epoch"`
		First uint64 `json:"first"`
		Last  uint64 `json:"last"`
	}
	tokenRow struct {
		ID   string `json:"id"`
		Kind string `json:"kind"`
	}
	unreachable struct {
		Node   string `json:"node"`
		Detail string `json:"detail"`
	}
	nodeList struct {
		Items []nodeRow `json:"items"`
	}
	nodeRow struct {
		ID        string         `json:"id"`
		Name      string         `json:"name"`
		URL       string         `json:"url"`
		State     string         `json:"state"`
		Detail    string         `json:"detail"`
		Version   string         `json:"version"`
		Since     *time.Time     `json:"since"`
		Sessions  map[string]int `json:"sessions"`
		Owned     int            `json:"owned"`
		Limit     int            `json:"owned_limit"`
		Streams   int            `json:"streams"`
		ToRestore int            `json:"to_restore"`
		BeatAge   int64          `json:"beat_age_ms"`
		Lease     int64          `json:"lease_ms"`
		Labels    labelRow       `json:"labels"`
	}
	upstreamList struct {
		Items       []upstreamRow `json:"items"`
		Unreachable []unreachable `json:"unreachable"`
	}
	labelRow    map[string]string
	upstreamRow struct {
		Name     string         `json:"name"`
		Labels   labelRow       `json:"labels"`
		Limits   upstreamLimits `json:"limits"`
		Tokens   upstreamTokens `json:"tokens"`
		Waiting  int            `json:"logins_waiting"`
		Domain   string         `json:"domain"`
		SignIns  int64          `json:"sign_ins"`
		Failures []causeCount   `json:"failures"`
		Last     *loginFailure  `json:"last_failure"`
		Logins   loginTimes     `json:"login_time"`
		Sessions map[string]int `json:"sessions"`
	}
	upstreamTokens struct {
		Taken   bool   `json:"taken"`
		Prefix  string `json:"prefix"`
		Default bool   `json:"default"`
	}
	upstreamLimits struct {
		MaxSessions int     `json:"max_sessions"`
		PerAccount  int     `json:"sessions_per_account"`
		AccountRate float64 `json:"account_rate"`
		Logins      int     `json:"logins"`
		LoginRate   float64 `json:"login_rate"`
		Idle        string  `json:"idle"`
		IdleAfter   int64   `json:"idle_after_ms"`
	}
	causeCount struct {
		Cause string `json:"cause"`
		Count int64  `json:"count"`
	}
	loginFailure struct {
		At     *time.Time `json:"at"`
		Target string     `json:"target"`
		Error  string     `json:"error"`
		Advice string     `json:"advice"`
	}
	loginTimes struct {
		Mean int64 `json:"mean_ms"`
		Max  int64 `json:"max_ms"`
	}
	levelList struct {
		Items []struct {
			Node  string `json:"node"`
			Level string `json:"level"`
		} `json:"items"`
		Unreachable []unreachable `json:"unreachable"`
	}
)

// table writes rows in columns; the first is the head. Much in them is text of others.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// age is how long ago something was, in one unit or two.
func age(at *time.Time) string {
	if at == nil {
		return "-"
	}
	d := max(time.Since(*at), 0)
	switch {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// short is what log lines call a session.
func short(id string) string { return id[:min(8, len(id))] }

// why is the reason of a state with its cause, or "-".
func (s sessionRow) why() string {
	why := s.Reason
	if s.Cause != "" {
		why += " (" + s.Cause + ")"
	}
	return cmp.Or(why, "-")
}

func printSessions(w io.Writer, l sessionList[sessionRow]) error {
	rows := [][]string{{"SESSION", "JID", "UPSTREAM", "NODE", "STATE", "SINCE", "STREAMS", "WHY"}}
	for _, s := range l.Items {
		rows = append(rows, []string{short(s.ID), cmp.Or(s.JID, "-"), s.Upstream, cmp.Or(s.Node, "-"), s.State, age(s.Since), fmt.Sprint(s.Streams), s.why()})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	if l.Next != nil {
		fmt.Fprintln(w, "There are more: raise --limit, or choose with --jid, --upstream, --state or --node.")
	}
	return missing(w, l.Unreachable)
}

// missing names the nodes that are not in a list.
func missing(w io.Writer, lost []unreachable) error {
	for _, n := range lost {
		if _, err := fmt.Fprintf(w, "The node %s is missing: %s\n", printable(n.Node), printable(n.Detail)); err != nil {
			return err
		}
	}
	return nil
}

// since is how long it has been so, if that is known.
func (s *sessionRow) since() string {
	if s.Since == nil {
		return ""
	}
	return ", for " + age(s.Since)
}

func (s *sessionRow) print(w io.Writer) error {
	rows := [][]string{
		{"session", s.ID}, {"account", cmp.Or(s.JID, "-")}, {"resource", cmp.Or(s.Resource, "-")}, {"upstream", s.Upstream}, {"node", cmp.Or(s.Node, "-")},
		{"state", s.State + s.since()}, {"why", s.why()}, {"delivery", cmp.Or(s.Delivery, "-")},
		{"features", cmp.Or(strings.Join(s.Features, " "), "-")}, {"last stanza", age(s.LastStanza)},
		{"rooms", fmt.Sprint(s.Rooms)}, {"outbox", fmt.Sprint(s.Outbox)},
	}
	if s.Detail != "" {
		rows = append(rows, []string{"detail", s.Detail})
	}
	if s.ExpiresAt != nil {
		rows = append(rows, []string{"kept until", s.ExpiresAt.UTC().Format(time.DateTime)})
	}
	if s.PingRTT != nil {
		rows = append(rows, []string{"ping", fmt.Sprintf("%d ms", *s.PingRTT)})
	}
	if s.HeldBack {
		rows = append(rows, []string{"store", "takes no writes of it"})
	}
	if s.Log != nil {
		rows = append(rows, []string{"log", fmt.Sprintf("%s, %d to %d", s.Log.Epoch, s.Log.First, s.Log.Last)})
	}
	for _, st := range s.OpenStreams {
		rows = append(rows, []string{"stream", st.Transport + ", for " + age(st.Since)})
	}
	for _, t := range s.Tokens {
		rows = append(rows, []string{"token", t.ID + ", " + t.Kind})
	}
	return table(w, rows)
}

func (n *nodeRow) print(w io.Writer) error { return (&nodeList{Items: []nodeRow{*n}}).print(w) }

// resumedNode is one whose drain was ended.
type resumedNode struct{ nodeRow }

func (n *resumedNode) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "the node %s takes sessions again\n", printable(n.ID))
	return err
}

func (l *nodeList) print(w io.Writer) error {
	rows := [][]string{{"NODE", "STATE", "SESSIONS", "STREAMS", "UP", "VERSION", "LABELS", "LAST BEAT"}}
	for _, n := range l.Items {
		if n.Detail != "" {
			rows = append(rows, []string{n.ID, n.State, "-", "-", "-", "-", "-", n.Detail})
			continue
		}
		beat := "alone"
		if n.Lease > 0 {
			beat = fmt.Sprintf("%d ms ago", n.BeatAge)
		}
		owned := fmt.Sprint(n.Owned)
		if n.Limit > 0 {
			owned += fmt.Sprintf(" of %d", n.Limit)
		}
		rows = append(rows, []string{n.ID, n.State, owned, fmt.Sprint(n.Streams), age(n.Since), n.Version, n.Labels.String(), beat})
	}
	return table(w, rows)
}

// String is key=value of each, sorted, or "-".
func (l labelRow) String() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(l)) {
		all = append(all, key+"="+l[key])
	}
	return cmp.Or(strings.Join(all, ","), "-")
}

// String is what is limited on each node, by the names of the settings.
func (l upstreamLimits) String() string {
	var all []string
	for _, x := range []struct {
		name string
		n    float64
	}{
		{"max-sessions", float64(l.MaxSessions)}, {"sessions-per-account", float64(l.PerAccount)}, {"account-rate", l.AccountRate},
		{"logins", float64(l.Logins)}, {"login-rate", l.LoginRate},
	} {
		if x.n > 0 {
			all = append(all, fmt.Sprintf("%s=%g", x.name, x.n))
		}
	}
	if l.Idle != "" && l.Idle != "keep" {
		all = append(all, fmt.Sprintf("idle=%s after %s", l.Idle, time.Duration(l.IdleAfter)*time.Millisecond))
	}
	return cmp.Or(strings.Join(all, ", "), "-")
}

// String says which access tokens go to the upstream.
func (t upstreamTokens) String() string {
	var which []string
	if t.Prefix != "" {
		which = append(which, t.Prefix+"…")
	}
	switch {
	case !t.Taken:
		return "-"
	case t.Default:
		which = append(which, "all others")
	case t.Prefix == "":
		which = append(which, "by name")
	}
	return strings.Join(which, ", ")
}

func (l *upstreamList) print(w io.Writer) error {
	rows := [][]string{{"UPSTREAM", "DOMAIN", "SESSIONS", "LOGINS", "WAITING", "FAILED", "MEAN", "MAX", "TOKENS", "LIMITS", "LABELS"}}
	for _, u := range l.Items {
		var failed int64
		for _, f := range u.Failures {
			failed += f.Count
		}
		var states []string
		for _, state := range slices.Sorted(maps.Keys(u.Sessions)) {
			states = append(states, fmt.Sprintf("%d %s", u.Sessions[state], state))
		}
		rows = append(rows, []string{
			u.Name, cmp.Or(u.Domain, "-"), cmp.Or(strings.Join(states, ", "), "0"), fmt.Sprint(u.SignIns), fmt.Sprint(u.Waiting), fmt.Sprint(failed),
			fmt.Sprintf("%d ms", u.Logins.Mean), fmt.Sprintf("%d ms", u.Logins.Max), u.Tokens.String(), u.Limits.String(), u.Labels.String(),
		})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	for _, u := range l.Items {
		for _, f := range u.Failures {
			fmt.Fprintf(w, "%s: %d logins failed: %s\n", printable(u.Name), f.Count, printable(f.Cause))
		}
		if f := u.Last; f != nil {
			fmt.Fprintf(w, "%s: the last one %s ago at %s: %s\n  -> %s\n", printable(u.Name), age(f.At), printable(cmp.Or(f.Target, "-")),
				printable(f.Error), printable(cmp.Or(f.Advice, "see the log")))
		}
	}
	return missing(w, l.Unreachable)
}

func (l *levelList) print(w io.Writer) error {
	rows := [][]string{{"NODE", "LEVEL"}}
	for _, n := range l.Items {
		rows = append(rows, []string{n.Node, n.Level})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	return missing(w, l.Unreachable)
}

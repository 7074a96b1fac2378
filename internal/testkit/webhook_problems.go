package testkit

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problems are what has come and must not: calls that no secret of the webhook has signed, or with another
// time; the same id with another body; events that come out of order, or under two ids; a part of the log
// that comes before the one before it has arrived. What is missing it cannot know.
func (r *WebhookReceiver) Problems() (found []string) {
	r.mu.Lock()
	calls, secrets := slices.Clone(r.calls), slices.Clone(r.secrets)
	r.mu.Unlock()
	j := webhookJudge{first: map[string]*WebhookCall{}}
	for i, c := range calls {
		name := "call " + strconv.Itoa(i) + " (" + c.ID + ")"
		if !c.signed(secrets) {
			j.found = append(j.found, name+": no secret of the webhook has signed it")
		}
		if age := c.Came.Sub(time.Unix(c.Timestamp, 0)); age < -time.Minute || age > time.Minute {
			j.found = append(j.found, fmt.Sprintf("%s: its timestamp is off by %v", name, age))
		}
		switch c.Type {
		case "events":
			j.judge(name, c)
		case "test":
		default:
			j.found = append(j.found, fmt.Sprintf("%s: its body is %.100q", name, c.Body))
		}
		if c.rewind {
			j.epoch, j.offset, j.open = "", 0, ""
		}
	}
	return j.found
}

// webhookJudge holds each call against those before it.
type webhookJudge struct {
	first  map[string]*WebhookCall // by id
	epoch  string
	offset uint64 // of the last event
	open   string // id that has come and was not yet answered by 2xx
	found  []string
}

func (j *webhookJudge) judge(name string, c *WebhookCall) {
	if before, ok := j.first[c.ID]; ok {
		if !bytes.Equal(before.Body, c.Body) {
			j.found = append(j.found, name+": another body than before under the same id")
		}
	} else {
		if j.open != "" {
			j.found = append(j.found, name+": it comes before "+j.open+" has arrived")
		}
		j.first[c.ID], j.open = c, c.ID
		j.inOrder(name, c)
	}
	if c.ID == j.open && c.Answer.OK() {
		j.open = ""
	}
}

func (j *webhookJudge) inOrder(name string, c *WebhookCall) {
	for _, e := range c.Data.Events {
		epoch, text, _ := strings.Cut(e.ID, "-")
		offset, err := strconv.ParseUint(text, 10, 64)
		switch {
		case err != nil:
			j.found = append(j.found, fmt.Sprintf("%s: the id of an event is %q", name, e.ID))
		case epoch != j.epoch && (j.epoch == "" || c.Data.Reset != nil): // another log
		case epoch != j.epoch:
			j.found = append(j.found, name+": "+e.ID+" is of another log, without a reset")
		case offset <= j.offset:
			j.found = append(j.found, fmt.Sprintf("%s: %s comes after %s-%d", name, e.ID, j.epoch, j.offset))
		}
		j.epoch, j.offset = epoch, offset
	}
}

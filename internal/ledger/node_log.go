package ledger

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// nodeLine is what the ledger looks for in a node's log.
type nodeLine struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Msg     string    `json:"msg"`
	Session string    `json:"session"`
	Epoch   string    `json:"epoch"`
	Fence   int       `json:"fence"`
	Node    string    `json:"node"`
	Panic   string    `json:"panic"`
}

// ownerLine is what a node logs when it has become the owner of a session.
const ownerLine = "session ownership acquired"

// staleLine is what it logs just before, when nothing proved the end of the old log.
const (
	staleLine = "store may have lost the end of the session log, beginning a new log"
	unproved  = "unproved"
)

// readLog takes from a node's log who owned what, and what no gateway should say: a data
// race, a panic.
func readLog(path, name string, h *history) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	stale := map[string]bool{}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		text := scan.Text()
		switch {
		case strings.HasPrefix(text, "WARNING: DATA RACE"), strings.HasPrefix(text, "panic:"), strings.HasPrefix(text, "fatal error:"):
			h.add(Entry{Op: OpBroken, Who: name, Text: text})
			continue
		case !strings.HasPrefix(text, "{"):
			continue
		}
		var line nodeLine
		if json.Unmarshal([]byte(text), &line) != nil {
			continue // half a line, of a node that was killed
		}
		if line.Panic != "" {
			h.add(Entry{Op: OpBroken, Who: name, Text: line.Msg + ": " + line.Panic})
		}
		if line.Msg == staleLine {
			stale[line.Session] = true
		}
		if line.Msg == ownerLine {
			key := ""
			if stale[line.Session] {
				key = unproved
			}
			delete(stale, line.Session)
			who := line.Node
			if who == "" {
				who = name
			}
			h.add(Entry{Op: OpOwner, Who: who, ID: line.Session, Text: line.Epoch, N: line.Fence, Key: key})
		}
	}
	return scan.Err()
}

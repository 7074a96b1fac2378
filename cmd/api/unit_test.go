package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch/app"
)

// TestUnit: the unit that the guide shows is the one in deploy, and systemd does not start a
// process again that another one of its name has superseded.
func TestUnit(t *testing.T) {
	unit := read(t, "../../deploy/perch.service")
	m := regexp.MustCompile("(?s)```ini\n# /etc/systemd/system/perch.service\n(.*?)```").FindStringSubmatch(read(t, "../../docs/operations.md"))
	if m == nil || m[1] != unit {
		t.Errorf("docs/operations.md shows another unit than deploy/perch.service, want the same")
	}
	for _, line := range []string{
		fmt.Sprintf("RestartPreventExitStatus=%d", exitSuperseded), "Restart=on-failure", "EnvironmentFile=-/etc/perch/perch.env", "Type=notify",
		"ExecStart=/usr/local/bin/perch --config /etc/perch/perch.yaml", "NoNewPrivileges=yes",
		"ExecReload=/usr/local/bin/perch --check-config --config /etc/perch/perch.yaml", "ExecReload=/bin/kill -HUP $MAINPID", "LimitNOFILE=65536",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("deploy/perch.service lacks %s, want %q in it", line, "\n"+line+"\n")
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{errors.New("x"), 1},
		{fmt.Errorf("%w: a; give each node its own --node", app.ErrSuperseded), 3},
		{errors.Join(fmt.Errorf("%w: a", app.ErrSuperseded), errors.New("stopping")), 3},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// child is this program again, in a process of its own, so that the memory of one side
// is not counted on the other. It speaks JSON lines on standard output and ends when its
// standard input closes.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner

	watched *watched // nil: not
	stopped bool
}

// startChild runs "bench <role> args...".
func startChild(ctx context.Context, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{role}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	return &child{cmd: cmd, in: in, out: sc}, nil
}

// read decodes the child's next line.
func (c *child) read(into any) error {
	if !c.out.Scan() {
		return errors.Join(fmt.Errorf("%s ended early", c.cmd.Args[1]), c.out.Err())
	}
	return json.Unmarshal(c.out.Bytes(), into)
}

// ask writes a line and reads the answer.
func (c *child) ask(line string, into any) error {
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		return err
	}
	return c.read(into)
}

// traffic lets a server role make traffic; see traffic in server.go.
func (c *child) traffic(line string) error {
	var done trafficDone
	if err := c.ask(line, &done); err != nil {
		return err
	}
	if done.Error != "" {
		return errors.New(done.Error)
	}
	return nil
}

// stop closes the child's input and waits for its end. It does nothing when called again.
func (c *child) stop() error {
	if c.stopped {
		return nil
	}
	c.stopped = true
	if c.watched != nil {
		c.watched.look()
	}
	return errors.Join(c.in.Close(), c.cmd.Wait())
}

// serveLines answers each line of standard input, until it closes or an answer is an error.
func serveLines(answer func(line string) (any, error)) error {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		v, err := answer(in.Text())
		if err != nil {
			return err
		}
		if err := say(v); err != nil {
			return err
		}
	}
	return in.Err()
}

// untilClosed returns when the parent closes standard input.
func untilClosed() error {
	return serveLines(func(line string) (any, error) { return nil, fmt.Errorf("there is no command %q", line) })
}

// say writes one JSON line of a child.
func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

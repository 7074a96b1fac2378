package testkit

import (
	"fmt"
	"os"
	"syscall"
)

// pipeSize is what a pipe holds when it is not read: the least that Linux gives.
const (
	pipeSize    = 4096
	setPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)
)

// pipeTo makes a small pipe whose content goes to out, as long as the gate is not held. The
// writing end is for the program; closeEnd closes our copy of it. The copying ends, and closes
// out, when the program has ended and everything is read.
func (p *process) pipeTo(out *os.File) (end *os.File, closeEnd func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe: %w", err)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, w.Fd(), setPipeSize, pipeSize); errno != 0 {
		_ = r.Close()
		_ = w.Close()
		return nil, nil, fmt.Errorf("pipe: %w", errno)
	}
	go func() {
		defer out.Close()
		defer r.Close()
		buf := make([]byte, pipeSize)
		for {
			p.gate.Lock()
			p.gate.Unlock() //nolint:staticcheck // empty on purpose: it waits until the gate is open, and does not hold it while it reads
			n, err := r.Read(buf)
			if n > 0 {
				if _, werr := out.Write(buf[:n]); werr != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return w, func() { _ = w.Close() }, nil
}

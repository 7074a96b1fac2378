package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSecretFile bounds a file with a secret: no value is longer, and a file that is has
	// something else in it.
	maxSecretFile = 4 << 10
	// secretTime is how long a pipe may take to write it.
	secretTime = 5 * time.Second
)

// secretFile is one that a setting was read from.
type secretFile struct {
	setting, path string
	exposed       bool // every user can read it
}

// readSecret reads the value of a setting, without the end of its line. Errors say what to do and
// have nothing of the content.
func readSecret(path string, setting secretSetting) (text string, exposed bool, err error) {
	raw, exposed, err := readBounded(path)
	if err != nil {
		return "", false, explainUnreadable(err)
	}
	if len(raw) > maxSecretFile {
		return "", false, fmt.Errorf("the file has more than %d bytes; it must hold the value of the setting alone", maxSecretFile)
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if strings.TrimSpace(text) == "" {
		return "", false, fmt.Errorf("the file is empty; write into it %s", setting.hint)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && (!setting.lines || r != '\n' && r != '\r') }) {
		return "", false, errors.New("the file is not one line of text; it must hold the value of the setting alone, as it would stand in the environment")
	}
	return text, exposed, nil
}

// readBounded reads a file, or a pipe that has a writer; one without a writer is empty, and one that
// is not finished in time an error. More than maxSecretFile bytes means that there are more.
func readBounded(path string) (raw []byte, exposed bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(secretTime)) // of a pipe; a file has none
	if raw, err = io.ReadAll(io.LimitReader(f, maxSecretFile+1)); err != nil {
		return nil, false, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	return raw, info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0, nil
}

// explainUnreadable adds what to do. The path stands before it already.
func explainUnreadable(err error) error {
	todo := "it must be a file that the user whom Perch runs as can read"
	if errors.Is(err, fs.ErrNotExist) {
		todo = "create it, or correct the path"
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%w; %s", err, todo)
}

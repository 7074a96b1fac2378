package canary

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// capture is the folder of this run.
var capture = &folder{home: workingDir()}

// folder has a file for each kind and process.
type folder struct {
	home string // where the test began: the folder of its package
	once sync.Once
	path string

	mu    sync.Mutex
	files map[string]*os.File
}

// workingDir is asked for at the start of the process: go test begins in the folder of the
// package, and a test may go elsewhere.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(fmt.Sprintf("canary: %v", err))
	}
	return dir
}

func (f *folder) dir() string {
	f.once.Do(func() { f.path = os.Getenv("CANARY_DIR") })
	return f.path
}

// write appends to the file of a kind, in whole lines. Not being able to is no less than a
// failed test: what is not kept is not searched.
func (f *folder) write(kind string, text []byte) {
	if f.dir() == "" {
		return
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(bytes.Clone(text), '\n')
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	file, ok := f.files[kind]
	if !ok {
		var err error
		name := fmt.Sprintf("%s.%d.%s", packageOf(f.home), os.Getpid(), kind)
		if file, err = os.OpenFile(filepath.Join(f.dir(), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			panic(fmt.Sprintf("canary: %v", err))
		}
		if f.files == nil {
			f.files = map[string]*os.File{}
		}
		f.files[kind] = file
	}
	if _, err := file.Write(text); err != nil {
		panic(fmt.Sprintf("canary: %v", err))
	}
}

// packageOf names the package of a folder by its path in the module, with dots; the root
// package is "root".
func packageOf(dir string) string {
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			rel, err := filepath.Rel(root, dir)
			if err != nil || rel == "." {
				return "root"
			}
			return strings.ReplaceAll(filepath.ToSlash(rel), "/", ".")
		}
		if root == filepath.Dir(root) {
			return "elsewhere"
		}
	}
}

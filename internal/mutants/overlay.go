package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Overlay writes what go build takes as -overlay to plant the mistake of a name into the module
// at root, and returns the path of that file. It keeps the changed files beside it in dir. A
// mistake that there is not, or whose text is not in the module once, is an error.
func Overlay(name, root, dir string) (path string, err error) {
	i := slices.IndexFunc(All, func(m Mutant) bool { return m.Name == name })
	if i < 0 {
		return "", fmt.Errorf("mutants: there is no mistake %q", name)
	}
	files := map[string]string{}
	for _, m := range append([]Mutant{All[i]}, All[i].Also...) {
		m.Name = name
		source := filepath.Join(root, filepath.FromSlash(m.File))
		if files[source], err = m.write(source, dir); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": files})
	if err != nil {
		return "", fmt.Errorf("mutants: %s: %w", name, err)
	}
	path = filepath.Join(dir, name+"_overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return "", fmt.Errorf("mutants: %s: %w", name, err)
	}
	return path, nil
}

// write makes the changed file, and returns its path.
func (m Mutant) write(source, dir string) (path string, err error) {
	text, err := os.ReadFile(source)
	if err != nil {
		return "", fmt.Errorf("mutants: %s: %w", m.Name, err)
	}
	changed, err := m.apply(string(text))
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, m.Name+"_"+filepath.Base(m.File))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		return "", fmt.Errorf("mutants: %s: %w", m.Name, err)
	}
	return path, nil
}

// apply makes the edits of m in the text of its file.
func (m Mutant) apply(text string) (string, error) {
	for _, e := range m.Edits {
		if n := strings.Count(text, e.Old); n != 1 {
			return "", fmt.Errorf("mutants: %s: %q is %d times in %s, want once: write its replacement anew", m.Name, e.Old, n, m.File)
		}
		text = strings.Replace(text, e.Old, e.New, 1)
	}
	return text, nil
}

package web

import "bytes"

// withoutComments leaves out the lines of a script or a style sheet that are nothing but comments, about a third
// of what a browser would load of scripts. They stay as empty lines, so that a position in what is served is the
// position in the file. It knows comments by how lines begin and end: no text of a script may go over
// several lines, which a test holds.
func withoutComments(script []byte) []byte {
	lines := bytes.Split(script, []byte("\n"))
	inside := false
	for i, line := range lines {
		text := bytes.TrimSpace(line)
		begins := bytes.HasPrefix(text, []byte("/*"))
		_, rest, ended := bytes.Cut(line, []byte("*/"))
		switch {
		case !inside && bytes.HasPrefix(text, []byte("//")):
			lines[i] = nil
		case (inside || begins) && !ended:
			lines[i], inside = nil, true
		case inside || begins && bytes.HasSuffix(text, []byte("*/")):
			lines[i], inside = nil, false
			if len(bytes.TrimSpace(rest)) > 0 { // a comment may end beside a field
				lines[i] = append(bytes.Repeat([]byte(" "), len(line)-len(rest)), rest...)
			}
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// message names one message: the n-th from one to another. From and to are short names.
type message struct {
	from, to string
	n        int
}

func (m message) String() string { return fmt.Sprintf("%s>%s #%d", m.from, m.to, m.n) }

// compose is the body of a message: its names, some random text, and the hash of all that.
func compose(m message, random *rand.Rand) string {
	text := fmt.Sprintf("%s %s %d %x", m.from, m.to, m.n, randomBytes(random, 8+random.IntN(120)))
	return text + " " + digest(text)
}

// parse reads a body. ok is false for one that is not whole.
func parse(body string) (m message, ok bool) {
	text, sum, found := cutLast(body)
	f := strings.Fields(text)
	if !found || len(f) != 4 || digest(text) != sum {
		return m, false
	}
	n, err := strconv.Atoi(f[2])
	return message{f[0], f[1], n}, err == nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func randomBytes(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

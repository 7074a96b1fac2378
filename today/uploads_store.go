package today

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Bounds of uploads. Over those of files the oldest file goes; over that of slots, who asks has to wait.
const (
	maxUpload      = 16 << 20 // bytes of one file
	maxUploadBytes = 64 << 20 // of all files, and of the slots that are open
	maxUploads     = 500      // files and slots
	maxOwnSlots    = 20       // open slots of one account
	slotTime       = 5 * time.Minute
	maxFileName    = 255 // bytes
)

// uploads is the component that gives slots for files (XEP-0363), and what has been put into them;
// guarded by Service.mu.
type uploads struct {
	s     *Service
	files map[string]*file // by key
	order []*file          // oldest first
	bytes int              // of files, and of slots as they are asked for
	puts  int              // on their way
}

// file is a slot and, when done is set, what is in it; the bytes are never changed.
type file struct {
	key, name, typ string
	size           int
	owner          *account
	at             time.Time // when it was asked for
	taken          bool      // a PUT is on its way, or done
	done           bool
	content        []byte
}

func newUploads(s *Service) *uploads { return &uploads{s: s, files: make(map[string]*file)} }

// add makes room for a slot and takes it. It reports false when what would have to go are slots that
// others may still use.
func (u *uploads) add(f *file) bool {
	u.expire()
	own := 0
	for _, other := range u.order {
		if other.owner == f.owner && !other.done {
			own++
		}
	}
	if own >= maxOwnSlots {
		return false
	}
	for len(u.order) >= maxUploads || u.bytes+f.size > maxUploadBytes {
		i := 0
		for i < len(u.order) && !u.order[i].done {
			i++
		}
		if i == len(u.order) {
			return false
		}
		u.remove(i)
	}
	u.files[f.key], u.bytes = f, u.bytes+f.size
	u.order = append(u.order, f)
	return true
}

// expire takes away slots that nobody has used in time; one with a PUT on its way stays until that ends.
func (u *uploads) expire() {
	for i, f := range slices.Backward(u.order) {
		if !f.taken && time.Since(f.at) > slotTime {
			u.remove(i)
		}
	}
}

func (u *uploads) remove(i int) {
	f := u.order[i]
	u.bytes -= f.size
	delete(u.files, f.key)
	u.order = append(u.order[:i:i], u.order[i+1:]...)
}

// uploadBase is the beginning of the addresses of files.
func (s *Service) uploadBase() string {
	host, port := s.o.Domain, ""
	if a, ok := s.HTTPAddr().(*net.TCPAddr); ok {
		port = strconv.Itoa(a.Port)
		if !a.IP.IsUnspecified() {
			host = a.IP.String()
		}
	}
	return "http://" + net.JoinHostPort(host, port) + uploadPath
}

// address is where a file is put to and got from.
func (u *uploads) address(f *file) string {
	return u.s.uploadBase() + f.key + "/" + url.PathEscape(f.name)
}

// keepFile is a file of the service's own doing, as if an account had sent it, by a key of its own; it
// returns its address, or "" when there is no room for it. Service.mu is held.
func (u *uploads) keepFile(owner *account, key, name, typ string, content []byte) string {
	f := &file{
		key: key, name: name, typ: typ, size: len(content), owner: owner, at: time.Now(),
		taken: true, done: true, content: content,
	}
	if u.files[key] == nil && !u.add(f) {
		return ""
	}
	return u.address(f)
}

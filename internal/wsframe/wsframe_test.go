package wsframe_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/wsframe"
)

// client builds frames of a client, right or wrong.
type client struct{ b []byte }

// frame adds one: first is its first byte, as it is.
func (c *client) frame(first byte, payload string) *client {
	mask := [4]byte{0x12, 0x9a, 0xf3, 0x07}
	switch n := len(payload); {
	case n < 126:
		c.b = append(c.b, first, 0x80|byte(n))
	case n < 1<<16:
		c.b = binary.BigEndian.AppendUint16(append(c.b, first, 0x80|126), uint16(n))
	default:
		c.b = binary.BigEndian.AppendUint64(append(c.b, first, 0x80|127), uint64(n))
	}
	c.b = append(c.b, mask[:]...)
	for i := range len(payload) {
		c.b = append(c.b, payload[i]^mask[i%4])
	}
	return c
}

// limit is that of the decoders here.
const limit = 1000

// decode feeds a decoder with pieces of at most size bytes. It returns the messages in short.
func decode(in []byte, size int) (got []string, err error) {
	d := &wsframe.Decoder{Limit: limit}
	for len(in) > 0 {
		space := d.Space()
		if len(space) == 0 {
			return got, errors.New("no space")
		}
		n := copy(space[:min(size, len(space))], in)
		in = in[n:]
		d.Fed(n)
		m, ok, err := d.Next()
		for ; ok; m, ok, err = d.Next() {
			got = append(got, fmt.Sprintf("%x:%s", byte(m.Op), m.Payload))
		}
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

func TestDecoder(t *testing.T) {
	long, longest := strings.Repeat("abc", 100), strings.Repeat("x", limit)
	for _, c := range []struct {
		name string
		in   *client
		want []string
		err  error
	}{
		{"one message", new(client).frame(0x81, "hello"), []string{"1:hello"}, nil},
		{"nothing in it", new(client).frame(0x81, "").frame(0x82, ""), []string{"1:", "2:"}, nil},
		{"several", new(client).frame(0x81, "a").frame(0x82, "b").frame(0x81, long), []string{"1:a", "2:b", "1:" + long}, nil},
		{"of 125, 126 and 127", new(client).frame(0x81, longest[:125]).frame(0x81, longest[:126]).frame(0x81, longest[:127]),
			[]string{"1:" + longest[:125], "1:" + longest[:126], "1:" + longest[:127]}, nil},
		{"fragments", new(client).frame(0x01, "a").frame(0x00, "").frame(0x00, long).frame(0x80, "c"), []string{"1:a" + long + "c"}, nil},
		{"control frames between them", new(client).frame(0x02, "a").frame(0x89, "p").frame(0x80, "b").frame(0x8A, ""), []string{"9:p", "2:ab", "a:"}, nil},
		{"two control frames", new(client).frame(0x89, "p").frame(0x89, "q").frame(0x88, "\x03\xe8bye"), []string{"9:p", "9:q", "8:\x03\xe8bye"}, nil},
		{"the limit", new(client).frame(0x81, longest), []string{"1:" + longest}, nil},
		{"the limit in fragments", new(client).frame(0x01, longest[1:]).frame(0x80, "x"), []string{"1:" + longest}, nil},
		{"the limit twice", new(client).frame(0x81, longest).frame(0x81, longest), []string{"1:" + longest, "1:" + longest}, nil},
		{"over the limit", new(client).frame(0x81, longest+"x"), nil, wsframe.ErrTooBig},
		{"over the limit in fragments", new(client).frame(0x01, longest).frame(0x80, "x"), nil, wsframe.ErrTooBig},
		{"of half of all there is", &client{[]byte{0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4}}, nil, wsframe.ErrTooBig},
		{"a negative length", &client{[]byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}}, nil, wsframe.ErrProtocol},
		{"no mask", &client{[]byte{0x81, 0x01, 'a'}}, nil, wsframe.ErrProtocol},
		{"RSV1", new(client).frame(0xC1, ""), nil, wsframe.ErrProtocol},
		{"RSV2", new(client).frame(0xA1, ""), nil, wsframe.ErrProtocol},
		{"RSV3", new(client).frame(0x91, ""), nil, wsframe.ErrProtocol},
		{"unknown data", new(client).frame(0x83, ""), nil, wsframe.ErrProtocol},
		{"unknown control", new(client).frame(0x8B, ""), nil, wsframe.ErrProtocol},
		{"a message within a message", new(client).frame(0x01, "a").frame(0x81, "b"), nil, wsframe.ErrProtocol},
		{"a part of none", new(client).frame(0x80, "a"), nil, wsframe.ErrProtocol},
		{"a part after the last", new(client).frame(0x81, "a").frame(0x80, "b"), []string{"1:a"}, wsframe.ErrProtocol},
		{"control of 126", new(client).frame(0x89, longest[:126]), nil, wsframe.ErrProtocol},
		{"control in fragments", new(client).frame(0x09, "a"), nil, wsframe.ErrProtocol},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			got, err := decode(c.in.b, size)
			if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
				t.Errorf("%s in pieces of %d: got %q, error %v; want %q, error %v", c.name, size, got, err, c.want, c.err)
			}
		}
	}
}

// TestMemoryOfAMessage: a client that announces much and sends little has little.
func TestMemoryOfAMessage(t *testing.T) {
	d := &wsframe.Decoder{Limit: 1 << 30}
	n := copy(d.Space(), []byte{0x81, 0xFF, 0, 0, 0, 0, 0x20, 0, 0, 0, 1, 2, 3, 4})
	d.Fed(n)
	if _, ok, err := d.Next(); ok || err != nil {
		t.Fatalf("Next of a head: got ok %v, error %v; want false, none", ok, err)
	}
	if n := len(d.Space()); n == 0 || n > 4096 {
		t.Errorf("Space for a message of half a GiB: got %d bytes, want at most 4096", n)
	}
}

func TestAppend(t *testing.T) {
	for size, head := range map[int]string{0: "\x81\x00", 125: "\x81\x7d", 126: "\x81\x7e\x00\x7e", 65535: "\x81\x7e\xff\xff", 65536: "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"} {
		payload := bytes.Repeat([]byte("x"), size)
		if got, want := string(wsframe.Append([]byte("before"), wsframe.Text, payload)), "before"+head+string(payload); got != want {
			t.Errorf("Append of %d bytes: got a frame that begins with %x, want %x", size, got[:min(len(got), 16)], head)
		}
	}
	long := strings.Repeat("r", 200)
	for _, c := range []struct {
		code         wsframe.Code
		reason, want string
	}{
		{1000, "", "\x88\x02\x03\xe8"}, {4103, "slow", "\x88\x06\x10\x07slow"}, {0, "unsaid", "\x88\x00"}, {1000, long, "\x88\x7d\x03\xe8" + long[:123]},
	} {
		if got := string(wsframe.AppendClose(nil, c.code, c.reason)); got != c.want {
			t.Errorf("AppendClose(%d, %q): got %q, want %q", c.code, c.reason, got, c.want)
		}
	}
}

func TestParseClose(t *testing.T) {
	for payload, want := range map[string]string{
		"": "0  true", "\x03": "0  false", "\x03\xe8": "1000  true", "\x0f\xa0bye": "4000 bye true", "\x03\xf6": "1014  true",
		"\x00\x00": "0  false", "\x03\xe7": "999  false", "\x03\xec": "1004  false", "\x03\xed": "1005  false", "\x03\xee": "1006  false",
		"\x03\xf7": "1015  false", "\x0b\xb7": "2999  false", "\x0b\xb8": "3000  true", "\x13\x87": "4999  true", "\x13\x88": "5000  false",
	} {
		code, reason, ok := wsframe.ParseClose([]byte(payload))
		if got := fmt.Sprint(code, " ", reason, " ", ok); got != want {
			t.Errorf("ParseClose(%x): got %s, want %s", payload, got, want)
		}
	}
}

// TestAccept has the example of RFC 6455, 1.3.
func TestAccept(t *testing.T) {
	if got, want := wsframe.Accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("Accept: got %s, want %s", got, want)
	}
}

// FuzzDecoder: whatever a client sends, the pieces in which it comes make no difference, no message
// is over the limit, and a server that writes the same messages has written frames that read alike.
func FuzzDecoder(f *testing.F) {
	f.Add(new(client).frame(0x01, "ab").frame(0x89, "p").frame(0x80, strings.Repeat("c", 300)).b, uint8(3))
	f.Add(new(client).frame(0x81, strings.Repeat("c", limit)).frame(0x88, "\x03\xe8").b, uint8(64))
	f.Add([]byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1}, uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole, wholeErr := decode(in, len(in)+1)
		got, err := decode(in, int(size)+1)
		if !slices.Equal(got, whole) || !errors.Is(err, wholeErr) {
			t.Fatalf("in pieces of %d: got %q, error %v; want %q, error %v", size+1, got, err, whole, wholeErr)
		}
		for _, m := range got {
			if len(m) > limit+2 {
				t.Errorf("got a message of %d bytes, want at most %d", len(m)-2, limit)
			}
		}
	})
}

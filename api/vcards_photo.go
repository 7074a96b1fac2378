package api

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"image"
	_ "image/gif"  // for image.DecodeConfig
	_ "image/jpeg" // for image.DecodeConfig
	_ "image/png"  // for image.DecodeConfig
	"net/http"
	"strconv"

	"github.com/perch-im/perch"
)

// maxPhotoSide bounds a picture, in pixels: one that is small as a file can still be enormous
// when a browser decodes it.
const maxPhotoSide = 4096

// photoNames are the types that are served, each with its file name. SVG is not among them: it
// can contain scripts.
var photoNames = map[string]string{
	"image/png": "photo.png", "image/jpeg": "photo.jpg", "image/gif": "photo.gif", "image/webp": "photo.webp",
}

var errNoPhoto = errors.New("api: not a picture of an allowed type and size")

// sniffPhoto determines the type of a picture from its bytes. The type in the card is never used:
// the bytes come from another user and go to a browser.
func sniffPhoto(data []byte) (string, error) {
	typ := http.DetectContentType(data)
	if photoNames[typ] == "" {
		return "", errNoPhoto
	}
	width, height, ok := webpSize(data)
	if typ != "image/webp" {
		c, _, err := image.DecodeConfig(bytes.NewReader(data))
		width, height, ok = c.Width, c.Height, err == nil
	}
	if !ok || width < 1 || height < 1 || width > maxPhotoSide || height > maxPhotoSide {
		return "", errNoPhoto
	}
	return typ, nil
}

// webpSize reads the size of a WebP picture (RFC 9649, 2.5 to 2.7) from its first chunk.
func webpSize(b []byte) (width, height int, ok bool) {
	if len(b) < 30 {
		return 0, 0, false
	}
	switch string(b[12:16]) {
	case "VP8X":
		return 1 + int24(b[24:]), 1 + int24(b[27:]), true
	case "VP8L":
		bits := int24(b[21:]) | int(b[24])<<24
		return 1 + bits&0x3FFF, 1 + bits>>14&0x3FFF, b[20] == 0x2F
	case "VP8 ":
		return int(b[26]) | int(b[27]&0x3F)<<8, int(b[28]) | int(b[29]&0x3F)<<8, true
	}
	return 0, 0, false
}

func int24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// writePhoto serves a picture so that a browser can only display it.
func writePhoto(w http.ResponseWriter, r *http.Request, data []byte) error {
	typ, err := sniffPhoto(data)
	if err != nil {
		return perch.Errorf(perch.KindItemNotFound, "the picture of the card is not PNG, JPEG, WebP or GIF of at most %d by %d", maxPhotoSide, maxPhotoSide)
	}
	sum := sha1.Sum(data)
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Disposition", `inline; filename="`+photoNames[typ]+`"`)
	if notModified(w, r, `"`+hex.EncodeToString(sum[:])+`"`) {
		return nil
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
	return nil
}

package xmppserver

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"

	"github.com/perch-im/perch"
)

const photoSize = 96

// Portrait draws a small PNG for a name: a head and shoulders before a plain ground, in
// colours made from the name. The same name has the same picture.
func Portrait(name string) *perch.Photo {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	n := h.Sum32()
	ground := hue(n)
	person := hue(n + 128)
	img := image.NewPaletted(image.Rect(0, 0, photoSize, photoSize), color.Palette{ground, person, color.White})
	for y := range photoSize {
		for x := range photoSize {
			img.SetColorIndex(x, y, portraitAt(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil { // a paletted image of this size always encodes
		return nil
	}
	return &perch.Photo{Type: "image/png", Size: b.Len(), Data: b.Bytes()}
}

// portraitAt chooses the colour of a point: 0 ground, 1 person, 2 the line around it.
func portraitAt(x, y int) uint8 {
	head := (x-48)*(x-48) + (y-38)*(y-38)
	shoulders := (x-48)*(x-48) + (y-100)*(y-100)
	switch {
	case head < 18*18 || shoulders < 38*38:
		return 1
	case head < 20*20 || shoulders < 40*40:
		return 2
	}
	return 0
}

// hue is a colour of middle brightness on a wheel of 256 steps.
func hue(n uint32) color.RGBA {
	p := int(n % 256)
	ramp := func(shift int) uint8 {
		d := (p+shift)%256 - 128
		if d < 0 {
			d = -d
		}
		return uint8(70 + d)
	}
	return color.RGBA{ramp(0), ramp(85), ramp(170), 255}
}

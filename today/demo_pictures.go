package today

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Size of the pictures of the demo.
const (
	pictureWidth  = 320
	pictureHeight = 200
)

// demoPicture draws hills under a sun, other ones for each number, and the same at each start.
func demoPicture(n int) []byte {
	m := image.NewPaletted(image.Rect(0, 0, pictureWidth, pictureHeight), pictureColours(n))
	sunX, sunY := float64(60+n*70%220), float64(40+n*13%30)
	for y := range pictureHeight {
		for x := range pictureWidth {
			m.SetColorIndex(x, y, pictureIndex(n, float64(x), float64(y), sunX, sunY))
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // a buffer takes everything
	return b.Bytes()
}

// pictureColours are those of the sky, from above to the hills, of the sun, and of three hills.
func pictureColours(n int) color.Palette {
	p := make(color.Palette, 0, 12)
	for i := range uint8(8) {
		p = append(p, color.RGBA{120 + 14*i, uint8(150+20*n) + 8*i, 235 - 6*i, 255})
	}
	p = append(p, color.RGBA{255, 226, 120, 255})
	for i := range uint8(3) {
		p = append(p, color.RGBA{70 - 20*i, uint8(140+10*n) - 34*i, 90 - 18*i, 255})
	}
	return p
}

// pictureIndex is the colour of a point.
func pictureIndex(n int, x, y, sunX, sunY float64) uint8 {
	for i := 2; i >= 0; i-- { // the nearest hill first
		phase := float64(n)*1.7 + float64(i)*2.1
		top := 110 + 28*float64(i) + 14*math.Sin(x/(46-8*float64(i))+phase) + 8*math.Sin(x/19+2*phase)
		if y > top {
			return uint8(9 + i)
		}
	}
	if math.Hypot(x-sunX, y-sunY) < 22 {
		return 8
	}
	return uint8(min(7, y/20))
}
